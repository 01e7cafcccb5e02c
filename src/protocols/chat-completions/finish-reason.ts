import type { FinishReason } from "../canonical.ts";

const read: Readonly<Record<string, FinishReason>> = {
  stop: "stop",
  length: "length",
  tool_calls: "tool-calls",
  function_call: "tool-calls",
  content_filter: "content-filter",
  // Spellings of compatible servers.
  end_turn: "stop",
  eos: "stop",
  max_tokens: "length",
};

const written: Readonly<Record<FinishReason, string>> = {
  stop: "stop",
  length: "length",
  "tool-calls": "tool_calls",
  "content-filter": "content_filter",
  other: "stop",
};

/** Any finish reason. Some servers say `stop` after a tool call: with calls it is `tool-calls`. */
export function readFinishReason(reason: string | undefined, hasCalls: boolean): FinishReason {
  const known = (reason !== undefined && Object.hasOwn(read, reason) ? read[reason] : undefined) ?? "other";
  return known === "stop" && hasCalls ? "tool-calls" : known;
}

export function writeFinishReason(reason: FinishReason): string {
  return written[reason];
}
