import type { JsonObject } from "../canonical.ts";
import { isObject, numberAt, objectAt, objectsAt, parseObject, stringAt } from "../read-json.ts";
import type { SseEvent } from "../sse.ts";
import { findCall } from "./calls.ts";
import { readCall } from "./delta.ts";

/** The whole completion that a stream tells, for a caller that asked for no stream. Keeps fields it doesn't know. */
export function foldStream(events: readonly SseEvent[]): JsonObject {
  return foldChunks(events.map((event) => parseObject(event.data)).filter((chunk) => chunk !== null));
}

/** The same for chunks that are already objects. */
export function foldChunks(chunks: readonly JsonObject[]): JsonObject {
  let completion: JsonObject = { id: "", object: "chat.completion", created: 0, model: "" };
  const choices = new Map<number, Choice>();
  for (const chunk of chunks) {
    const { choices: _, object: __, ...fields } = chunk;
    completion = mergeKnown(completion, fields);
    for (const wire of objectsAt(chunk, "choices")) {
      const index = numberAt(wire, "index") ?? 0;
      const choice = choices.get(index) ?? new Choice(index);
      choices.set(index, choice);
      choice.add(wire);
    }
  }
  return { ...completion, choices: [...choices].sort(([a], [b]) => a - b).map(([, choice]) => choice.whole()) };
}

/** One choice with its message, as far as it has come. */
class Choice {
  #fields: JsonObject;
  #message: JsonObject = { role: "assistant", content: null, refusal: null };
  readonly #calls: { readonly position: number; readonly wireId: string; call: JsonObject }[] = [];

  constructor(index: number) {
    this.#fields = { index, logprobs: null, finish_reason: null };
  }

  add(wire: JsonObject): void {
    const { delta: _, ...fields } = wire;
    this.#fields = mergeKnown(this.#fields, fields);
    const { tool_calls: __, ...delta } = objectAt(wire, "delta") ?? {};
    this.#message = mergeDelta(this.#message, delta);
    for (const piece of objectsAt(objectAt(wire, "delta"), "tool_calls")) this.#addCall(piece);
  }

  whole(): JsonObject {
    const calls = this.#calls.map(({ call }) => call);
    if (calls.length === 0) return { ...this.#fields, message: this.#message };
    // The first chunk brings an empty text with the role; a whole answer of nothing but calls has null.
    const content = this.#message["content"] || null;
    return { ...this.#fields, message: { ...this.#message, content, tool_calls: calls } };
  }

  #addCall(wire: JsonObject): void {
    const { index: _, ...piece } = wire;
    const read = readCall(wire);
    // Some servers send the arguments as the object that they stand for.
    if (isObject(objectAt(piece, "function")?.["arguments"])) {
      piece["function"] = { ...objectAt(piece, "function"), arguments: read.args };
    }
    let open = findCall(this.#calls, read);
    if (open === undefined) {
      const call: JsonObject = { type: "function" };
      open = { position: read.index ?? this.#calls.length, wireId: read.id, call };
      this.#calls.push(open);
    }
    open.call = mergeDelta(open.call, piece);
  }
}

/** Fields that come in pieces of text. Every other string stands for itself. */
const inPieces = new Set(["content", "refusal", "reasoning_content", "reasoning", "arguments", "input"]);

/** `delta` added to `message`: pieces of text and lists are joined, anything else is taken over. */
function mergeDelta(message: JsonObject, delta: JsonObject): JsonObject {
  const merged = { ...message };
  for (const [key, value] of Object.entries(delta)) {
    const before = merged[key];
    if (value === null) merged[key] ??= null;
    else if (Array.isArray(value)) merged[key] = [...(Array.isArray(before) ? before : []), ...value];
    else if (isObject(value)) merged[key] = mergeDelta(isObject(before) ? before : {}, value);
    else if (typeof value === "string" && inPieces.has(key)) merged[key] = (stringAt(merged, key) ?? "") + value;
    else if (value !== "" || before === undefined) merged[key] = value;
  }
  return merged;
}

/** `next` over `base`; a null in `next` does not take away what is known. */
function mergeKnown(base: JsonObject, next: JsonObject): JsonObject {
  const merged = { ...base };
  for (const [key, value] of Object.entries(next)) if (value !== null || !(key in merged)) merged[key] = value;
  return merged;
}
