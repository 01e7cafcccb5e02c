/**
 * Every secret the simulator has handed out or accepts, with a name that may be shown. Logs go through `redact`, so that a
 * failing test prints names and never a token.
 */
export class SecretNames {
  readonly #names = new Map<string, string>();

  add(value: string, name: string): void {
    this.#names.set(value, name);
  }

  /** Every secret there is. A test can look for them where they must not be. */
  values(): string[] {
    return [...this.#names.keys()];
  }

  /** `text` with each known secret replaced by `<its name>`. */
  redact(text: string): string {
    let result = text;
    for (const [value, name] of this.#names) {
      if (result.includes(value)) result = result.replaceAll(value, `<${name}>`);
    }
    return result;
  }

  /** A header's value for the log: known secrets by name, and nothing of an unknown one. */
  redactHeader(header: string, value: string): string {
    const redacted = this.redact(value);
    if (redacted !== value || !secretHeaders.has(header)) return redacted;
    const scheme = /^\S+(?= )/.exec(value)?.[0];
    return scheme === undefined ? "<unknown>" : `${scheme} <unknown>`;
  }
}

const secretHeaders = new Set(["authorization", "proxy-authorization", "x-api-key", "api-key", "cookie"]);
