/** Shorter values are words that a line may well hold by chance. */
const shortest = 8;

/** Beyond this many the oldest are forgotten: they have long expired. */
const mostRemembered = 1_000;

/**
 * Secrets that this process has used, so that they can be taken out of whatever it writes (rule R8): by value, whatever they look
 * like and wherever they turn up. Kept in memory only.
 */
export class SecretLedger {
  readonly #values = new Set<string>();

  note(value: string | null | undefined): void {
    if (value == null || value.length < shortest || this.#values.has(value)) return;
    this.#values.add(value);
    if (this.#values.size <= mostRemembered) return;
    const [oldest] = this.#values;
    if (oldest !== undefined) this.#values.delete(oldest);
  }

  /** The text with `[secret]` in the place of each. */
  scrub(text: string): string {
    let clean = text;
    for (const value of this.#values) {
      if (clean.includes(value)) clean = clean.replaceAll(value, "[secret]");
      // As JSON writes it.
      const escaped = JSON.stringify(value).slice(1, -1);
      if (escaped !== value) clean = clean.replaceAll(escaped, "[secret]");
    }
    return clean;
  }
}
