import type { JsonObject } from "../canonical.ts";
import type { StreamFollower } from "../protocol.ts";
import { compact, numberAt, objectAt, objectsAt, parseObject, stringAt } from "../read-json.ts";
import { readDelta } from "./delta.ts";
import { createStreamEncoder } from "./encode.ts";
import { choicesAsked, doneMark } from "./stream.ts";

/**
 * What of a stream the next chunks need: who it says it is. Another answer can't go on in a stream with several choices, come or still to
 * come, with a call, a refusal or sound in it, or behind a finish reason.
 */
export function createStreamFollower(asked: () => string = () => ""): StreamFollower {
  let envelope: JsonObject | null = null;
  let isOpen = true;

  return {
    see({ data: text }) {
      const data = parseObject(text);
      if (data === null) {
        if (text.trim() === doneMark) isOpen = false;
        return;
      }
      const choices = objectsAt(data, "choices");
      if (choices.length > 0 && envelope === null) envelope = envelopeOf(data);
      for (const choice of choices) {
        const delta = readDelta(objectAt(choice, "delta"));
        const isText = delta.calls.length === 0 && delta.refusal === "" && !delta.other;
        const isFirst = (numberAt(choice, "index") ?? 0) === 0;
        if (!isText || !isFirst || stringAt(choice, "finish_reason") !== undefined) isOpen = false;
      }
    },
    resume(_, options) {
      if (!isOpen || envelope === null || choicesAsked(asked()) > 1) return null;
      return createStreamEncoder(options, envelope);
    },
  };
}

function envelopeOf({ id, created, model, system_fingerprint }: JsonObject): JsonObject {
  return compact({ id, object: "chat.completion.chunk", created, model, system_fingerprint });
}
