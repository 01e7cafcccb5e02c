import type { SharedV4Warning } from "@ai-sdk/provider";

/** What of a call can't be carried, each thing once: the AI SDK prints every warning of every step. */
export class Warnings {
  readonly #byFeature = new Map<string, SharedV4Warning>();

  unsupported(feature: string, details?: string): void {
    this.#byFeature.set(feature, { type: "unsupported", feature, ...(details === undefined ? {} : { details }) });
  }

  /** Carried, but as something else. */
  compatibility(feature: string, details: string): void {
    this.#byFeature.set(feature, { type: "compatibility", feature, details });
  }

  get list(): SharedV4Warning[] {
    return [...this.#byFeature.values()];
  }
}
