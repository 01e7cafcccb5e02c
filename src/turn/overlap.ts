/** A repetition shorter than this is not taken for one, in characters: code and tables say the same thing twice on purpose. */
const shortest = 32;
/** Unless it repeats everything that was said, and that was at least this long. */
const shortestWhole = 8;

/**
 * Leaves out what another answer repeats of `said` at its beginning: the longest piece that ends what was said and begins what is said now, if
 * it has at least 32 characters, or is all that was said and has at least 8.
 *
 * What could still become such a piece is held back until it is clear that it doesn't.
 */
export class Overlap {
  readonly #said: string;
  #held = "";
  #isDecided: boolean;

  constructor(said: string) {
    this.#said = said;
    this.#isDecided = said === "";
  }

  /** What of `text` and of the text held before can go out. */
  push(text: string): string {
    if (this.#isDecided) return text;
    this.#held += text;
    return this.#said.includes(this.#held) ? "" : this.end();
  }

  /** The rest: nothing more comes that could be a repetition. */
  end(): string {
    this.#isDecided = true;
    const held = this.#held;
    this.#held = "";
    return held.slice(this.#repeated(held));
  }

  #repeated(held: string): number {
    for (let length = Math.min(held.length, this.#said.length); length >= shortestWhole; length--) {
      if (length < shortest && length < this.#said.length) return 0;
      if (this.#said.endsWith(held.slice(0, length))) return length;
    }
    return 0;
  }
}
