import type { JsonObject } from "../canonical.ts";
import type { HistoryHabit } from "../protocol.ts";
import { isObject, objectAt, objectsAt, stringAt } from "../read-json.ts";
import { reasoningFields } from "./read-history.ts";

/**
 * Servers of this protocol disagree about what may and must stand in the answers of a history. A client keeps what came from whoever
 * answered, so after a switch the next one may refuse it.
 *
 * - `no-reasoning`: Mistral, Groq and Cerebras refuse the fields of reasoning as unknown, and Gemini's signatures as well.
 * - `needs-reasoning`: DeepSeek and Kimi want reasoning beside each answer while they think, and count an empty one as missing. Where
 *   another model answered, a blank stands for it, or what that model thought.
 * - `needs-signatures`: Gemini 3 wants a signature on the first call of an answer, and has a value for calls that it did not make.
 *   Source: https://ai.google.dev/gemini-api/docs/thought-signatures
 */
export function fitHistory(body: JsonObject, habit: HistoryHabit): JsonObject | null {
  const wire = body["messages"];
  if (!Array.isArray(wire)) return null;
  let changed = false;
  const messages = wire.map((message) => {
    if (!isObject(message) || message["role"] !== "assistant") return message;
    const fitted = fitters[habit](message);
    changed ||= fitted !== message;
    return fitted;
  });
  return changed ? { ...body, messages } : null;
}

const fitters: Readonly<Record<HistoryHabit, (message: JsonObject) => JsonObject>> = {
  "no-reasoning": withoutReasoning,
  "needs-reasoning": withReasoning,
  "needs-signatures": withSignature,
};

function withoutReasoning(message: JsonObject): JsonObject {
  const calls = objectsAt(message, "tool_calls");
  const isSigned = calls.some((call) => call["extra_content"] !== undefined);
  if (!isSigned && reasoningFields.every((key) => message[key] === undefined)) return message;
  const kept = { ...message };
  for (const key of reasoningFields) delete kept[key];
  if (isSigned) kept["tool_calls"] = calls.map(withoutSignature);
  return kept;
}

function withoutSignature(call: JsonObject): JsonObject {
  const { extra_content: _, ...kept } = call;
  return kept;
}

function withReasoning(message: JsonObject): JsonObject {
  if ((stringAt(message, "reasoning_content") ?? "") !== "") return message;
  return { ...message, reasoning_content: stringAt(message, "reasoning") || " " };
}

function withSignature(message: JsonObject): JsonObject {
  const [first, ...others] = objectsAt(message, "tool_calls");
  const extra = objectAt(first, "extra_content");
  const google = objectAt(extra, "google");
  if (first === undefined || stringAt(google, "thought_signature") !== undefined) return message;
  const signed = { ...extra, google: { ...google, thought_signature: "skip_thought_signature_validator" } };
  return { ...message, tool_calls: [{ ...first, extra_content: signed }, ...others] };
}
