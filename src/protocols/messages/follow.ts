import type { StreamFollower } from "../protocol.ts";
import { numberAt, objectAt, parseObject, stringAt } from "../read-json.ts";
import { createStreamEncoder } from "./encode.ts";
import { eventType } from "./stream.ts";

/**
 * What of a stream the next events need: the blocks that were begun, and which of them are open. Another answer can go on in a block of text;
 * any other block that is open only its author can end, and behind a stop reason there is nothing left to say.
 */
export function createStreamFollower(): StreamFollower {
  const open = new Map<number, string>();
  let last = -1;
  let isBegun = false;
  let isStopped = false;

  return {
    see(event) {
      const data = parseObject(event.data);
      if (data === null) return;
      const index = numberAt(data, "index") ?? 0;
      switch (eventType(event, data)) {
        case "message_start":
          isBegun = true;
          break;
        case "content_block_start":
          last = Math.max(last, index);
          open.set(index, stringAt(objectAt(data, "content_block"), "type") ?? "");
          break;
        case "content_block_stop":
          open.delete(index);
          break;
        case "message_delta":
          isStopped = true;
          break;
        default:
      }
    },
    resume(openText, options) {
      const isText = open.size === 0 || (open.size === 1 && open.get(last) === "text");
      if (!isBegun || isStopped || !isText) return null;
      return createStreamEncoder(options, { index: last, openText: open.size === 0 ? null : openText });
    },
  };
}
