import type { Json, JsonObject } from "../canonical.ts";
import { isObject, numberAt, objectAt, parseObject, stringAt } from "../read-json.ts";
import type { SseEvent } from "../sse.ts";
import { blockOfDelta } from "./decode.ts";
import { eventType } from "./stream.ts";
import { inputObject } from "./tool-use.ts";

/** The whole message that a stream tells, for a caller that asked for no stream. Keeps fields and blocks it doesn't know. */
export function foldStream(events: readonly SseEvent[]): JsonObject {
  const parsed = events.map((event) => ({ event, data: parseObject(event.data) }));
  return foldEvents(
    parsed.flatMap(({ event, data }) => (data === null ? [] : [{ ...data, type: eventType(event, data) }])),
  );
}

/** The same for events that are already objects, each with its type. */
export function foldEvents(events: readonly JsonObject[]): JsonObject {
  let message: JsonObject = { id: "", type: "message", role: "assistant", model: "", stop_reason: null };
  let usage: JsonObject = {};
  const blocks = new Map<number, Block>();

  for (const data of events) {
    const index = numberAt(data, "index") ?? 0;
    switch (data["type"]) {
      case "message_start": {
        const { usage: counted, ...rest } = objectAt(data, "message") ?? {};
        message = { ...message, ...rest };
        usage = mergeKnown(usage, counted);
        break;
      }
      case "content_block_start":
        blocks.set(index, new Block(objectAt(data, "content_block") ?? {}));
        break;
      case "content_block_delta": {
        const delta = objectAt(data, "delta");
        const block = blocks.get(index) ?? new Block(blockOfDelta(delta) ?? {});
        if (block.isKnown) blocks.set(index, block);
        block.grow(delta);
        break;
      }
      case "message_delta":
        message = mergeKnown(message, data["delta"]);
        usage = mergeKnown(usage, data["usage"]);
        break;
      default:
    }
  }
  const content = [...blocks].sort(([a], [b]) => a - b).map(([, block]) => block.whole());
  return { ...message, content, usage };
}

class Block {
  #block: JsonObject;
  #inputJson = "";

  constructor(start: JsonObject) {
    this.#block = start;
  }

  /** False for a block whose opening was never seen and can't be guessed. */
  get isKnown(): boolean {
    return "type" in this.#block;
  }

  grow(delta: JsonObject | undefined): void {
    switch (delta?.["type"]) {
      case "text_delta":
        this.#append("text", delta);
        break;
      case "thinking_delta":
        this.#append("thinking", delta);
        break;
      case "signature_delta":
        this.#append("signature", delta);
        break;
      case "input_json_delta":
        this.#inputJson += stringAt(delta, "partial_json") ?? "";
        break;
      case "citations_delta": {
        const citations = this.#block["citations"];
        const citation = delta["citation"] ?? null;
        this.#block = { ...this.#block, citations: [...(Array.isArray(citations) ? citations : []), citation] };
        break;
      }
      default:
    }
  }

  whole(): JsonObject {
    return this.#inputJson === "" ? this.#block : { ...this.#block, input: inputObject(this.#inputJson) };
  }

  #append(key: string, delta: JsonObject): void {
    this.#block = { ...this.#block, [key]: (stringAt(this.#block, key) ?? "") + (stringAt(delta, key) ?? "") };
  }
}

/** `next` over `base`; a null in `next` does not take away what is known. */
function mergeKnown(base: JsonObject, next: Json | undefined): JsonObject {
  if (!isObject(next)) return base;
  const merged = { ...base };
  for (const [key, value] of Object.entries(next)) if (value !== null || !(key in merged)) merged[key] = value;
  return merged;
}
