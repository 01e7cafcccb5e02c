import type { Usage } from "../../core/events.ts";
import type { JsonObject } from "../canonical.ts";
import { isObject, numberAt, objectAt } from "../read-json.ts";

/** `response.usage`, whose totals include the cached and the reasoning tokens. Null when it tells nothing. */
export function readUsage(usage: unknown): Usage | null {
  if (!isObject(usage)) return null;
  const input = numberAt(usage, "input_tokens");
  const output = numberAt(usage, "output_tokens");
  if (input === undefined && output === undefined) return null;
  return {
    input: input ?? 0,
    output: output ?? 0,
    cachedInput: numberAt(objectAt(usage, "input_tokens_details"), "cached_tokens") ?? 0,
    reasoning: numberAt(objectAt(usage, "output_tokens_details"), "reasoning_tokens") ?? 0,
  };
}

/** All five numbers: Codex drops a usage with one missing. */
export function writeUsage(usage: Usage): JsonObject {
  return {
    input_tokens: usage.input,
    input_tokens_details: { cached_tokens: usage.cachedInput },
    output_tokens: usage.output,
    output_tokens_details: { reasoning_tokens: usage.reasoning },
    total_tokens: usage.input + usage.output,
  };
}
