import type { Objection } from "./dialect.ts";
import { arrayOf, type Fields, fieldsOf } from "./fields.ts";

/**
 * What some servers of this protocol insist on in the answers of a history, beyond what OpenAI does: `no-reasoning` as Groq,
 * `needs-reasoning` as Kimi while it thinks, `needs-signatures` as Gemini 3.
 */
export type HistoryRule = "no-reasoning" | "needs-reasoning" | "needs-signatures";

/** Objects to the first answer in the history that breaks the rule, in the words of the server that has it. */
export function checkHistory(messages: readonly Fields[], rule: HistoryRule): Objection | null {
  for (const [index, message] of messages.entries()) {
    const objection = message.role === "assistant" ? checks[rule](message, index) : null;
    if (objection !== null) return { status: 400, message: objection };
  }
  return null;
}

const checks: Readonly<Record<HistoryRule, (message: Fields, index: number) => string | null>> = {
  "no-reasoning": (message, index) => {
    const unknown = ["reasoning_content", "reasoning", "reasoning_details"].find((key) => key in message);
    if (unknown !== undefined) return unsupported(`messages.${index}`, unknown);
    const call = arrayOf(message.tool_calls).findIndex((one) => "extra_content" in fieldsOf(one));
    return call === -1 ? null : unsupported(`messages.${index}.tool_calls.${call}`, "extra_content");
  },
  "needs-reasoning": (message, index) => {
    const { reasoning_content: reasoning } = message;
    if (typeof reasoning === "string" && reasoning !== "") return null;
    const kind = arrayOf(message.tool_calls).length > 0 ? "tool call " : "";
    return `thinking is enabled but reasoning_content is missing in assistant ${kind}message at index ${index}`;
  },
  "needs-signatures": (message, index) => {
    const [first] = arrayOf(message.tool_calls).map(fieldsOf);
    if (first === undefined || "thought_signature" in fieldsOf(fieldsOf(first.extra_content).google)) return null;
    const name = String(fieldsOf(first.function).name);
    return `Function call is missing a thought_signature in functionCall parts. Additional data, function call \`default_api:${name}\` , position ${index}.`;
  },
};

function unsupported(place: string, key: string): string {
  return `'${place}' : for 'role:assistant' the following must be satisfied[('${place}' : property '${key}' is unsupported)]`;
}
