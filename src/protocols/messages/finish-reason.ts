import type { FinishReason } from "../canonical.ts";

/** Anthropic's stop reasons. `pause_turn` has no counterpart: the model stopped in the middle of a server tool. */
const read: Readonly<Record<string, FinishReason>> = {
  end_turn: "stop",
  stop_sequence: "stop",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  tool_use: "tool-calls",
  refusal: "content-filter",
};

const written: Readonly<Record<FinishReason, string>> = {
  stop: "end_turn",
  length: "max_tokens",
  "tool-calls": "tool_use",
  "content-filter": "refusal",
  other: "end_turn",
};

/** Any stop reason; one that is unknown or missing is `other`. */
export function readStopReason(reason: string | undefined): FinishReason {
  return (reason !== undefined && Object.hasOwn(read, reason) ? read[reason] : undefined) ?? "other";
}

export function writeStopReason(reason: FinishReason): string {
  return written[reason];
}
