import type { Usage } from "../../core/events.ts";
import type { JsonObject } from "../canonical.ts";
import { numberAt, objectAt } from "../read-json.ts";

/**
 * The counters of one answer. They arrive in several events, each time as totals: the largest value of a counter is the
 * last one, also from servers that send 0 for what they said before.
 */
export class UsageCounter {
  readonly #counters = new Map<string, number>();

  /** Takes a `usage` object; anything missing in it stays as it was. */
  add(usage: JsonObject | undefined): void {
    for (const key of ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens"]) {
      this.#raise(key, numberAt(usage, key));
    }
    this.#raise("thinking_tokens", numberAt(objectAt(usage, "output_tokens_details"), "thinking_tokens"));
  }

  /** Anthropic counts cached input apart from `input_tokens`. Null when nothing was counted. */
  get total(): Usage | null {
    const of = (key: string): number => this.#counters.get(key) ?? 0;
    const cachedInput = of("cache_read_input_tokens");
    const input = of("input_tokens") + cachedInput + of("cache_creation_input_tokens");
    const output = of("output_tokens");
    return input + output === 0 ? null : { input, output, cachedInput, reasoning: of("thinking_tokens") };
  }

  #raise(key: string, value: number | undefined): void {
    if (value !== undefined) this.#counters.set(key, Math.max(value, this.#counters.get(key) ?? 0));
  }
}

/** As Anthropic writes it; zeros for an answer whose usage is not known, since clients insist on the object. */
export function writeUsage(usage: Usage | null): JsonObject {
  const { input, output, cachedInput, reasoning } = usage ?? { input: 0, output: 0, cachedInput: 0, reasoning: 0 };
  return {
    input_tokens: Math.max(0, input - cachedInput),
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cachedInput,
    output_tokens: output,
    ...(reasoning > 0 && { output_tokens_details: { thinking_tokens: reasoning } }),
  };
}
