import type { Evidence } from "../../failures/evidence.ts";
import type { Usage } from "../../core/events.ts";
import type { JsonObject } from "../canonical.ts";
import type { EventShape } from "../alike-events.ts";
import type { AnswerVerdict, StreamReader, StreamVerdict } from "../protocol.ts";
import { isObject, objectAt, parseObject, stringAt } from "../read-json.ts";
import { endsWithObject, type SseEvent } from "../sse.ts";
import { errorEvidence } from "./error.ts";
import { UsageCounter } from "./usage.ts";

const preamble: StreamVerdict = { kind: "preamble" };
const malformed: StreamVerdict = { kind: "preamble", malformed: true };
const content: StreamVerdict = { kind: "content" };

/**
 * What each event of a Messages stream means for the turn.
 *
 * - Content is what the caller acts on: text, the start of a tool call (it has the name), its input, blocks of server tools.
 * - `message_start`, `ping`, thinking in any form and the opening of a text block with nothing in it are preamble.
 * - `message_stop` is the only end. A refusal ends as well: it is an answer.
 * - An error is recognised by its `error` object, also without the event name; after `message_stop` nothing counts any more.
 */
class MessagesReader implements StreamReader {
  readonly #counter = new UsageCounter();
  #committed = false;
  #ended = false;
  #failure: Evidence | null = null;

  read(event: SseEvent): StreamVerdict {
    if (this.#ended) return preamble;
    const data = parseObject(event.data);
    if (data === null) return event.data.startsWith("[DONE]") ? preamble : malformed;
    const type = eventType(event, data);
    this.#counter.add(objectAt(objectAt(data, "message"), "usage"));
    this.#counter.add(objectAt(data, "usage"));
    if (type === "error" || objectAt(data, "error") !== undefined) {
      this.#failure = errorEvidence(this.#committed ? "stream" : "head", data);
      return { kind: "failure", evidence: this.#failure };
    }
    if (type === "message_stop") {
      this.#ended = true;
      return { kind: "end" };
    }
    if (!isContent(type, data)) return preamble;
    this.#committed = true;
    return content;
  }

  shapeOfMore(text: string): EventShape | null {
    return this.#committed && !this.#ended ? shapeOfPlainDelta(text) : null;
  }

  end(): Evidence | null {
    if (this.#ended) return null;
    return this.#failure ?? { phase: "end", protocol: "messages", message: "the stream ended without message_stop" };
  }

  get usage(): Usage | null {
    return this.#counter.total;
  }
}

export function createStreamReader(): StreamReader {
  return new MessagesReader();
}

const deltaBeginning = 'event: content_block_delta\ndata: {"type":"content_block_delta","index":';
const plainDeltas = ['"delta":{"type":"text_delta",', '"delta":{"type":"input_json_delta",'];

/** A piece of text or of a call's input, on one line of data, in the spelling of Anthropic itself. */
function shapeOfPlainDelta(text: string): EventShape | null {
  if (!text.startsWith(deltaBeginning)) return null;
  const delta = text.indexOf(",", deltaBeginning.length) + 1;
  const kind = plainDeltas.find((plain) => text.startsWith(plain, delta));
  if (kind === undefined || !text.endsWith("}}\n\n") || !endsWithObject(text, delta)) return null;
  return { literals: [text.slice(0, delta + kind.length)], braces: 2 };
}

/** A whole answer. A 200 that holds an error, or no list of content, is a failure. */
export function readAnswer(body: unknown): AnswerVerdict {
  if (isObject(body)) {
    if (body["type"] === "error" || objectAt(body, "error") !== undefined) {
      return { kind: "failure", evidence: errorEvidence("head", body, 200) };
    }
    if (Array.isArray(body["content"])) {
      const usage = new UsageCounter();
      usage.add(objectAt(body, "usage"));
      return { kind: "answer", usage: usage.total };
    }
  }
  const evidence: Evidence = { phase: "head", protocol: "messages", status: 200, message: "empty answer", body };
  return { kind: "failure", evidence };
}

/** The type stands in the data; the event's name is only for servers that leave it out there. */
export function eventType(event: SseEvent, data: JsonObject): string | null {
  return stringAt(data, "type") ?? event.event;
}

/** Blocks that open without telling the caller anything. */
const silentBlocks = new Set(["thinking", "redacted_thinking"]);
const silentDeltas = new Set(["thinking_delta", "signature_delta"]);

function isContent(type: string | null, data: JsonObject): boolean {
  if (type === "content_block_start") {
    const block = objectAt(data, "content_block");
    const kind = stringAt(block, "type");
    if (kind === "text") return stringAt(block, "text") !== "" && stringAt(block, "text") !== undefined;
    return kind !== undefined && !silentBlocks.has(kind);
  }
  if (type === "content_block_delta") {
    const delta = objectAt(data, "delta");
    const kind = stringAt(delta, "type");
    if (kind === "text_delta") return stringAt(delta, "text") !== "" && stringAt(delta, "text") !== undefined;
    return kind !== undefined && !silentDeltas.has(kind);
  }
  return false;
}
