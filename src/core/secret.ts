/**
 * A value that must never be printed. Everything that turns an object into text by itself (template strings, JSON,
 * `util.inspect`, spread) shows `[secret]`; only `reveal()` gives the value, at the one place that sends it.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. Call it where it is sent or sealed, nowhere else. */
  reveal(): string {
    return this.#value;
  }

  equals(other: Secret | null | undefined): boolean {
    return other != null && other.reveal() === this.reveal();
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "[secret]";
  }
}

/**
 * Values that mean "nothing here" though they are strings: what people and templates leave in key variables.
 * Source: the peer's list of unusable secrets.
 */
const placeholders = new Set([
  "*",
  "**",
  "***",
  "changeme",
  "your_api_key",
  "your-api-key",
  "your_api_key_here",
  "placeholder",
  "example",
  "dummy",
  "null",
  "none",
]);

/** True when `value` can be a key: at least 4 characters after trimming, printable ASCII without blanks, no placeholder. */
export function isUsableSecret(value: string | undefined | null): value is string {
  const trimmed = value?.trim() ?? "";
  return trimmed.length >= 4 && !placeholders.has(trimmed.toLowerCase()) && /^[\x21-\x7e]+$/.test(trimmed);
}
