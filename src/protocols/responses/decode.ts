import type { FinishReason, JsonObject, Part } from "../canonical.ts";
import type { StreamDecoder } from "../protocol.ts";
import { numberAt, objectAt, objectsAt, parseObject, stringAt } from "../read-json.ts";
import type { SseEvent } from "../sse.ts";
import { CallBlock, MessageBlock, type OutputBlock, ReasoningBlock } from "./blocks.ts";
import { isClientCall } from "./items.ts";
import { eventType, terminalTypes } from "./stream.ts";
import { readUsage } from "./usage.ts";

/** Responses stream → parts. Knows no failure: the stream reader tells those. Passes over what it does not know. */
export function createStreamDecoder(): StreamDecoder {
  const decoder = new AnswerDecoder();
  return {
    decode(event: SseEvent) {
      const data = parseObject(event.data);
      const type = data && eventType(event, data);
      return data === null || type === null ? [] : decoder.decode(type, data);
    },
  };
}

/** A whole answer → parts. `output_text` stands in for an output that is missing or empty. */
export function decodeAnswer(body: JsonObject): Part[] {
  const text = stringAt(body, "output_text") ?? "";
  const output = objectsAt(body, "output").length > 0 || text === "" ? body["output"] : [messageItem(text)];
  return new AnswerDecoder().decode("response.completed", { response: { ...body, output: output ?? null } });
}

function messageItem(text: string): JsonObject {
  return { type: "message", role: "assistant", content: [{ type: "output_text", text }] };
}

/**
 * Follows the items of one answer. Each may be told up to three times: by its deltas, when it is done, and in the terminal event,
 * whose output may also be null or hold only some of them. Each word is given once, from whichever telling brings it first.
 *
 * Items are known by their place (`output_index`), since some backends give one item a new id in each event.
 */
class AnswerDecoder {
  readonly #blocks = new Map<number, OutputBlock>();
  readonly #places = new Map<string, number>();
  #last = -1;
  #started = false;
  #finished = false;

  decode(type: string, data: JsonObject): Part[] {
    if (this.#finished) return [];
    const parts = this.#read(type, data);
    if (this.#started) return parts;
    const response = objectAt(data, "response");
    if (parts.length === 0 && type !== "response.created") return parts;
    this.#started = true;
    const start: Part = {
      type: "response-start",
      id: stringAt(response, "id") ?? null,
      model: stringAt(response, "model") ?? null,
    };
    return [start, ...parts];
  }

  #read(type: string, data: JsonObject): Part[] {
    if (terminalTypes.has(type)) return this.#finish(objectAt(data, "response") ?? {});
    const kind = itemKinds.get(type);
    if (kind !== undefined) return this.#block(data, { type: kind }, false)?.grow(type, data) ?? [];
    const item = objectAt(data, "item") ?? {};
    if (type === "response.output_item.added") return this.#block(data, item, true)?.begin(item) ?? [];
    if (type === "response.output_item.done") return this.#block(data, item, false)?.complete(item) ?? [];
    return [];
  }

  /**
   * The block of the item that an event is about, made if this is the first we hear of it; null for an item without parts. The
   * id decides if it is known, then the place, then the kind: an event may lack either, and some backends count no places.
   */
  #block(data: JsonObject, item: JsonObject, isNew: boolean): OutputBlock | null {
    const type = stringAt(item, "type");
    const id = stringAt(data, "item_id") ?? stringAt(item, "id");
    const known = id === undefined ? undefined : this.#places.get(id);
    if (known !== undefined) return this.#at(known, id, type);
    const isFree = (place: number): boolean => {
      const block = this.#blocks.get(place);
      return block === undefined || (block.accepts(type) && !(isNew ? block.isBegun : block.isComplete));
    };
    const last = Math.max(this.#last, 0);
    const place = [numberAt(data, "output_index") ?? last, last].find(isFree) ?? last + 1;
    return this.#at(place, id, type);
  }

  #at(place: number, id: string | undefined, type: string | undefined): OutputBlock | null {
    if (id !== undefined) this.#places.set(id, place);
    this.#last = Math.max(this.#last, place);
    let block = this.#blocks.get(place) ?? null;
    if (block === null) {
      block = createBlock(type, place);
      if (block !== null) this.#blocks.set(place, block);
    }
    return block?.accepts(type) === true ? block : null;
  }

  #finish(response: JsonObject): Part[] {
    this.#finished = true;
    const output = objectsAt(response, "output");
    const parts = output.flatMap((item, index) => this.#late(item, index)?.complete(item) ?? []);
    for (const block of this.#blocks.values()) parts.push(...block.close(response["status"] === "incomplete"));
    const called = [...this.#blocks.values()].some((block) => block instanceof CallBlock && block.isCalled);
    return [...parts, { type: "finish", reason: finishReason(response, called), usage: readUsage(response["usage"]) }];
  }

  /** The block of an item in the terminal event: a new one only if nothing told so far can be this item. */
  #late(item: JsonObject, index: number): OutputBlock | null {
    const type = stringAt(item, "type");
    const id = stringAt(item, "id");
    const known = id === undefined ? undefined : this.#places.get(id);
    if (known !== undefined) return this.#at(known, id, type);
    const told = [...this.#blocks.values()].find((block) => block.tells(item));
    if (told !== undefined) return told;
    const isHere = stringAt(item, "call_id") === undefined && this.#blocks.get(index)?.accepts(type) === true;
    return this.#at(isHere ? index : this.#last + 1, id, type);
  }
}

/** Which kind of item an event tells of a piece of. */
const itemKinds: ReadonlyMap<string, string> = new Map([
  ["response.output_text.delta", "message"],
  ["response.output_text.done", "message"],
  ["response.refusal.delta", "message"],
  ["response.refusal.done", "message"],
  ["response.reasoning_text.delta", "reasoning"],
  ["response.reasoning_summary_text.delta", "reasoning"],
  ["response.function_call_arguments.delta", "function_call"],
  ["response.function_call_arguments.done", "function_call"],
  ["response.custom_tool_call_input.delta", "custom_tool_call"],
  ["response.custom_tool_call_input.done", "custom_tool_call"],
]);

function createBlock(type: string | undefined, place: number): OutputBlock | null {
  if (type === "message") return new MessageBlock(place);
  if (type === "reasoning") return new ReasoningBlock(place);
  return isClientCall(type) ? new CallBlock(place, type) : null;
}

/** An answer that was cut is told as cut, also when it holds a call. */
function finishReason(response: JsonObject, called: boolean): FinishReason {
  if (response["status"] !== "incomplete") return called ? "tool-calls" : "stop";
  switch (stringAt(objectAt(response, "incomplete_details"), "reason")) {
    case "max_output_tokens":
    case "max_tokens":
    case "length":
      return "length";
    case "content_filter":
      return "content-filter";
    default:
      return "other";
  }
}
