import type { Usage } from "../../core/events.ts";
import type { JsonObject } from "../canonical.ts";
import { numberAt, objectAt, objectsAt } from "../read-json.ts";

/** The usage of an answer or a chunk: at its top level, or, from some servers, within the first choice. */
export function readUsage(body: JsonObject): Usage | null {
  const wire = objectAt(body, "usage") ?? objectAt(objectsAt(body, "choices")[0], "usage");
  if (wire === undefined) return null;
  const input = numberAt(wire, "prompt_tokens");
  const output = numberAt(wire, "completion_tokens");
  if (input === undefined && output === undefined) return null;
  // https://openrouter.ai/docs/use-cases/usage-accounting
  const cost = numberAt(wire, "cost");
  return {
    input: input ?? 0,
    output: output ?? 0,
    cachedInput:
      numberAt(objectAt(wire, "prompt_tokens_details"), "cached_tokens") ??
      // DeepSeek's own name.
      numberAt(wire, "prompt_cache_hit_tokens") ??
      0,
    reasoning: numberAt(objectAt(wire, "completion_tokens_details"), "reasoning_tokens") ?? 0,
    ...(cost === undefined ? {} : { reportedCost: cost }),
  };
}

export function writeUsage(usage: Usage): JsonObject {
  return {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: usage.input + usage.output,
    prompt_tokens_details: { cached_tokens: usage.cachedInput },
    completion_tokens_details: { reasoning_tokens: usage.reasoning },
  };
}
