import type { JsonBytes } from "../protocols/json-bytes.ts";

/** A request's body as it came over the wire. Decoded when somebody asks for its text, and then once. */
export class BodyBytes implements JsonBytes {
  readonly bytes: Buffer;
  #text: string | null = null;

  /** `bytes` are UTF-8. */
  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  find(text: string, from: number): number {
    return this.bytes.indexOf(text, from, "latin1");
  }

  text(from?: number, to?: number): string {
    if (from !== undefined) return this.bytes.toString("utf8", from, to);
    this.#text ??= this.bytes.toString("utf8");
    return this.#text;
  }
}
