import type { JsonObject } from "../canonical.ts";
import { numberAt, objectAt, objectsAt, parseObject } from "../read-json.ts";
import type { SseEvent } from "../sse.ts";
import { createStreamDecoder } from "./decode.ts";
import { encodeAnswer } from "./encode.ts";
import { eventType } from "./stream.ts";

/**
 * Stream events → the response they tell: the one in the terminal event. Some backends leave items out of it, or all; then
 * the finished items take their place, and if there are none either, what the deltas tell. Without a terminal event the status
 * is `incomplete`.
 */
export function foldStream(events: readonly SseEvent[]): JsonObject {
  const items: { readonly place: number; readonly item: JsonObject }[] = [];
  let response: JsonObject = { object: "response" };
  let ended = false;
  for (const event of events) {
    const data = parseObject(event.data);
    const type = data && eventType(event, data);
    if (data === null || type === null) continue;
    const item = objectAt(data, "item");
    if (type === "response.output_item.done" && item !== undefined) {
      items.push({ place: numberAt(data, "output_index") ?? items.length, item });
    }
    const told = objectAt(data, "response");
    if (told === undefined || ended) continue;
    response = { ...response, ...told };
    ended = /^response\.(?:completed|incomplete|done|failed|cancell?ed)$/.test(type);
  }
  if (!ended) response = { ...response, status: "incomplete" };
  const output = objectsAt(response, "output");
  if (output.length > 0 && output.length >= items.length) return response;
  const finished = items.sort((a, b) => a.place - b.place).map(({ item }) => item);
  return { ...response, output: finished.length > 0 ? finished : fromDeltas(events) };
}

function fromDeltas(events: readonly SseEvent[]): JsonObject[] {
  const decoder = createStreamDecoder();
  const parts = events.flatMap((event) => decoder.decode(event));
  return objectsAt(encodeAnswer(parts, { id: "", model: "" }), "output");
}
