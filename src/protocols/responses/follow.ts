import type { JsonObject } from "../canonical.ts";
import type { StreamFollower } from "../protocol.ts";
import { numberAt, objectAt, parseObject, stringAt } from "../read-json.ts";
import type { SseEvent } from "../sse.ts";
import { createStreamEncoder } from "./encode.ts";
import { eventType } from "./stream.ts";

interface OpenItem {
  readonly id: string;
  /** True for a message with one part of plain text. */
  isText: boolean;
  text: string;
  isTextDone: boolean;
  isPartDone: boolean;
}

function openItem(type: string | undefined, id: string | undefined): OpenItem {
  return { id: id ?? "", isText: type === "message", text: "", isTextDone: false, isPartDone: false };
}

/**
 * What of a stream the next events need: the response as it introduced itself, the items that are done, the message that is open, and the
 * number of the last event. Another answer can go on in a message whose text is open, or behind items that are done; any other open item
 * only its author can end.
 */
export function createStreamFollower(): StreamFollower {
  const done = new Map<number, JsonObject>();
  const open = new Map<number, OpenItem>();
  let response: JsonObject | null = null;
  let sequence = 0;

  function see(event: SseEvent): void {
    const data = parseObject(event.data);
    if (data === null) return;
    sequence = Math.max(sequence, (numberAt(data, "sequence_number") ?? sequence) + 1);
    const place = numberAt(data, "output_index") ?? 0;
    const item = objectAt(data, "item");
    switch (eventType(event, data)) {
      case "response.created":
      case "response.in_progress":
        response = objectAt(data, "response") ?? response;
        break;
      case "response.output_item.added":
        open.set(place, openItem(stringAt(item, "type"), stringAt(item, "id")));
        break;
      case "response.output_text.delta": {
        const known = open.get(place) ?? openItem("message", stringAt(data, "item_id"));
        known.text += stringAt(data, "delta") ?? "";
        if ((numberAt(data, "content_index") ?? 0) > 0) known.isText = false;
        open.set(place, known);
        break;
      }
      case "response.output_text.done":
        note(place, { isTextDone: true });
        break;
      case "response.content_part.done":
        note(place, { isPartDone: true });
        break;
      case "response.refusal.delta":
        note(place, { isText: false });
        break;
      case "response.output_item.done":
        open.delete(place);
        done.set(place, item ?? {});
        break;
      default:
    }
  }

  function note(place: number, change: Partial<OpenItem>): void {
    const known = open.get(place);
    if (known !== undefined) Object.assign(known, change);
  }

  return {
    see,
    resume(openText, options) {
      const output = [...done].sort(([a], [b]) => a - b).map(([, item]) => item);
      const [first, ...others] = open;
      if (response === null || others.length > 0) return null;
      if (first === undefined) return createStreamEncoder(options, { response, sequence, output, message: null });
      const [place, { id, isText, text, isTextDone, isPartDone }] = first;
      // Its place must be the next, or what follows would not stand where it says.
      if (!isText || isTextDone !== (openText === null) || place !== output.length) return null;
      const message = { id, text, partId: openText, isPartDone };
      return createStreamEncoder(options, { response, sequence, output, message });
    },
  };
}
