import type { JsonObject } from "../canonical.ts";
import { isObject, numberAt, objectAt, objectsAt, stringAt } from "../read-json.ts";

/** What a delta, or a whole message, holds. Empty strings and lists for what is not there. */
export interface Delta {
  readonly text: string;
  readonly refusal: string;
  readonly reasoning: string;
  readonly calls: readonly CallDelta[];
  /** Content that has no counterpart here: audio, images. */
  readonly other: boolean;
}

/** A piece of a tool call. */
export interface CallDelta {
  readonly index: number | null;
  readonly id: string;
  readonly name: string;
  readonly args: string;
}

/**
 * Reads a `delta` or `message`. Reasoning has two names in the field, `reasoning_content` (DeepSeek and those who follow
 * it) and `reasoning` (OpenRouter, vLLM); some servers send both with the same text. Mistral sends content as a list.
 */
export function readDelta(delta: JsonObject | undefined): Delta {
  const text = stringAt(delta, "content");
  const listed = text === undefined ? objectsAt(delta, "content") : [];
  return {
    text: text ?? listed.map((part) => stringAt(part, "text") ?? "").join(""),
    refusal: stringAt(delta, "refusal") ?? "",
    reasoning:
      stringAt(delta, "reasoning_content") ||
      stringAt(delta, "reasoning") ||
      (listed.length === 0 ? "" : thinkingIn(listed)),
    calls: readCalls(delta),
    other: isObject(delta?.["audio"]) || (delta?.["images"] !== undefined && objectsAt(delta, "images").length > 0),
  };
}

function thinkingIn(content: readonly JsonObject[]): string {
  return content
    .flatMap((part) => objectsAt(part, "thinking"))
    .map((part) => stringAt(part, "text") ?? "")
    .join("");
}

function readCalls(delta: JsonObject | undefined): CallDelta[] {
  const legacy = objectAt(delta, "function_call");
  if (legacy !== undefined) return [{ index: 0, id: "", ...readFunction(legacy) }];
  return objectsAt(delta, "tool_calls").map(readCall);
}

/** One entry of `tool_calls`. */
export function readCall(call: JsonObject): CallDelta {
  return {
    index: numberAt(call, "index") ?? null,
    id: stringAt(call, "id") ?? "",
    ...readFunction(objectAt(call, "function") ?? objectAt(call, "custom")),
  };
}

/** The arguments are JSON text; some servers send the object itself. */
function readFunction(wire: JsonObject | undefined): { name: string; args: string } {
  const args = wire?.["arguments"] ?? wire?.["input"];
  return {
    name: stringAt(wire, "name") ?? "",
    args: typeof args === "string" ? args : isObject(args) ? JSON.stringify(args) : "",
  };
}
