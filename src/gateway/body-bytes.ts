import { type JsonBytes, type Scan, searchedTexts } from "../protocols/json-bytes.ts";
import { createIndexer, type Indexer, type NeedleIndex } from "../protocols/needle-index.ts";

/** A body of so many bytes is searched for everything at once. */
const indexedBytes = 512;
/** Made for the first long body; null where there can be none. */
let indexer: Indexer | null | undefined;

/** A request's body as it came over the wire. Decoded when somebody asks for its text, and then once. */
export class BodyBytes implements JsonBytes {
  readonly bytes: Buffer;
  routing: Scan | null | undefined = undefined;
  #text: string | null = null;
  /** Null: each search goes through all of it. */
  #index: NeedleIndex | null | undefined;

  /** `bytes` are UTF-8. */
  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  find(text: string, from: number): number {
    if (this.#index === undefined) this.#index = this.bytes.length < indexedBytes ? null : indexAll(this.bytes);
    return this.#index?.find(text, from) ?? this.bytes.indexOf(text, from, "latin1");
  }

  text(from?: number, to?: number): string {
    if (from !== undefined) return this.bytes.toString("utf8", from, to);
    this.#text ??= this.bytes.toString("utf8");
    return this.#text;
  }
}

function indexAll(bytes: Uint8Array): NeedleIndex | null {
  if (indexer === undefined) indexer = createIndexer(searchedTexts);
  return indexer?.(bytes) ?? null;
}
