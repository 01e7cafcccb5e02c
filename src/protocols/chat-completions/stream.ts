import type { Usage } from "../../core/events.ts";
import type { Evidence } from "../../failures/evidence.ts";
import type { JsonObject } from "../canonical.ts";
import type { EventShape } from "../alike-events.ts";
import type { AnswerVerdict, StreamReader, StreamVerdict } from "../protocol.ts";
import { isObject, numberAt, objectAt, objectsAt, parseObject, stringAt } from "../read-json.ts";
import { endsWithObject, formatSse, type SseEvent } from "../sse.ts";
import { readDelta } from "./delta.ts";
import { errorEvidence } from "./error.ts";
import { readUsage } from "./usage.ts";

/** The data of the event that closes a stream. */
export const doneMark = "[DONE]";

const preamble: StreamVerdict = { kind: "preamble" };
const malformed: StreamVerdict = { kind: "preamble", malformed: true };
const content: StreamVerdict = { kind: "content" };

/**
 * What each chunk of a Chat Completions stream means for the turn.
 *
 * - Content is what the caller acts on: text, a refusal, tool calls. The role, an empty delta and reasoning are preamble.
 * - A stream is complete when every choice that was seen has its `finish_reason`. The end is then `[DONE]`, which counts also behind
 *   fewer choices than were asked for: many servers give one, whatever `n` is. From servers that leave `[DONE]` out it is the end of
 *   the bytes, and then as many choices must have come as were asked for: between two of them the stream may have been cut. Clients that
 *   wait for it get it then from us.
 * - `[DONE]` without a finish reason is no end: the model was cut behind the server.
 * - A chunk with an `error` object, at the top or in a choice, or with finish reason `error`, is a failure, also when the
 *   status was 200 and whatever came before.
 * - Usage comes with the last chunk or, with an empty list of choices, after it.
 */
class ChatReader implements StreamReader {
  readonly #asked: () => string;
  /** Whether each choice has its finish reason. */
  readonly #choices = new Map<number, boolean>();
  #usage: Usage | null = null;
  #committed = false;
  #ended = false;
  #failure: Evidence | null = null;

  constructor(asked: () => string) {
    this.#asked = asked;
  }

  read(event: SseEvent): StreamVerdict {
    if (this.#ended) return preamble;
    if (event.data.trim() === doneMark) {
      this.#ended = this.#isFinished();
      return this.#ended ? { kind: "end" } : preamble;
    }
    const data = parseObject(event.data);
    if (data === null) return malformed;
    this.#usage = readUsage(data) ?? this.#usage;
    const problem = findError(data, event.event);
    if (problem !== null) {
      this.#failure = { ...errorEvidence(this.#committed ? "stream" : "head", problem.body), ...problem.facts };
      return { kind: "failure", evidence: this.#failure };
    }
    let isContent = false;
    for (const choice of objectsAt(data, "choices")) {
      const index = numberAt(choice, "index") ?? 0;
      const isFinished = stringAt(choice, "finish_reason") !== undefined || this.#choices.get(index) === true;
      this.#choices.set(index, isFinished);
      if (hasContent(choice)) isContent = true;
    }
    if (!isContent) return preamble;
    this.#committed = true;
    return content;
  }

  shapeOfMore(text: string): EventShape | null {
    return this.#committed && !this.#ended && this.#failure === null ? shapeOfPlainDelta(text) : null;
  }

  end(): Evidence | null {
    if (this.#failure !== null) return this.#failure;
    if (!this.#isFinished()) return missing("the stream ended without a finish_reason");
    if (this.#ended) return null;
    const wanted = choicesAsked(this.#asked());
    const { size } = this.#choices;
    return size >= wanted ? null : missing(`the stream ended after ${size} of ${wanted} choices`);
  }

  get usage(): Usage | null {
    return this.#usage;
  }

  get missingEnd(): string {
    return this.#ended ? "" : formatSse(doneMark);
  }

  #isFinished(): boolean {
    return this.#choices.size > 0 && [...this.#choices.values()].every((finished) => finished);
  }
}

export function createStreamReader(asked: () => string = () => ""): StreamReader {
  return new ChatReader(asked);
}

function missing(message: string): Evidence {
  return { phase: "end", protocol: "chat-completions", message };
}

/** How many answers side by side a request asks for; 1 when it does not say, or can't be read. */
export function choicesAsked(text: string): number {
  return numberAt(parseObject(text) ?? {}, "n") ?? 1;
}

const oneChoice = '"choices":[{"index":0,"delta":{';
const strange = ['"error"', '"index":1', '},{"index":'];
/** Harmless only where they say nothing. */
const saysNothing = [
  { key: '"finish_reason"', nothing: '"finish_reason":null' },
  { key: '"usage"', nothing: '"usage":null' },
];

/** What the pieces of one answer differ in: a member whose value is a string, without it. */
const saying = /(?<="(?:content|refusal|reasoning|reasoning_content|arguments|obfuscation)":")(?:[^"\\]|\\.)*/g;

/** One more piece of the only choice, on one line of data: it ends nothing, counts nothing, complains of nothing. */
function shapeOfPlainDelta(text: string): EventShape | null {
  if (!text.startsWith('data: {"') || !endsWithObject(text, 0) || !text.includes(oneChoice)) return null;
  const literals = text.split(saying);
  const isPlain =
    strange.every((part) => !text.includes(part)) &&
    saysNothing.every(({ key, nothing }) => {
      const at = text.indexOf(key);
      return at < 0 || text.startsWith(nothing, at);
    });
  const [first = "", ...others] = literals;
  return isPlain ? { literals: [first, ...others], braces: 0 } : null;
}

/** A whole answer. A 200 that holds an error, or no choice with a message, is a failure. */
export function readAnswer(body: unknown): AnswerVerdict {
  if (isObject(body)) {
    const problem = findError(body, null);
    if (problem !== null) {
      return { kind: "failure", evidence: { ...errorEvidence("head", problem.body, 200), ...problem.facts } };
    }
    if (objectAt(objectsAt(body, "choices")[0], "message") !== undefined) {
      return { kind: "answer", usage: readUsage(body) };
    }
  }
  const protocol = "chat-completions";
  const evidence: Evidence = { phase: "head", protocol, status: 200, message: "empty answer", body };
  return { kind: "failure", evidence };
}

/** The object that tells of the error, if `data` is about one. */
function findError(
  data: JsonObject,
  event: string | null,
): { body: JsonObject; facts: Pick<Evidence, "event" | "finishReason"> } | null {
  const named = event === null ? {} : { event };
  const hasError = objectAt(data, "error") !== undefined || typeof data["error"] === "string";
  if (hasError || event === "error") return { body: data, facts: named };
  for (const choice of objectsAt(data, "choices")) {
    if (stringAt(choice, "finish_reason") === "error" || objectAt(choice, "error") !== undefined) {
      return { body: choice, facts: { ...named, finishReason: "error" } };
    }
  }
  return null;
}

function hasContent(choice: JsonObject): boolean {
  const delta = readDelta(objectAt(choice, "delta"));
  return delta.text !== "" || delta.refusal !== "" || delta.calls.length > 0 || delta.other;
}
