import type { Usage } from "../../core/events.ts";
import type { JsonObject, Part } from "../canonical.ts";
import type { StreamDecoder } from "../protocol.ts";
import { objectAt, objectsAt, parseObject, stringAt } from "../read-json.ts";
import { CallAssembler } from "./calls.ts";
import { type Delta, readDelta } from "./delta.ts";
import { readFinishReason } from "./finish-reason.ts";
import { doneMark } from "./stream.ts";
import { readUsage } from "./usage.ts";

/**
 * A Chat Completions stream → parts: the first choice only. Unknown fields and events are passed over. A refusal is text:
 * to the caller it is what the model said.
 *
 * `finish` waits for the usage, which may come after the finish reason, and at the latest for `[DONE]`; for servers that
 * send neither there is `end()`.
 */
export function createStreamDecoder(): StreamDecoder {
  const answer = new AnswerParts();
  return {
    decode(event) {
      if (!event.data.startsWith("{") && event.data.trim() === doneMark) return answer.finish();
      const data = parseObject(event.data);
      if (data === null) return [];
      const choice = objectsAt(data, "choices").find(isFirstChoice);
      const parts: Part[] = [];
      answer.start(data, parts);
      answer.grow(readDelta(objectAt(choice, "delta")), parts);
      answer.note(stringAt(choice, "finish_reason"), readUsage(data));
      if (answer.isComplete) parts.push(...answer.finish());
      return parts;
    },
    end: () => answer.finish(),
  };
}

/** A whole completion → parts, with the same rules as for a stream. */
export function decodeAnswer(body: JsonObject): Part[] {
  const answer = new AnswerParts();
  const choice = objectsAt(body, "choices")[0];
  const parts: Part[] = [];
  answer.start(body, parts);
  answer.grow(readDelta(objectAt(choice, "message")), parts);
  answer.note(stringAt(choice, "finish_reason") ?? "stop", readUsage(body));
  return [...parts, ...answer.finish()];
}

function isFirstChoice(choice: JsonObject): boolean {
  return (choice["index"] ?? 0) === 0;
}

/** The parts of one answer. At most one block of text or reasoning is open at a time. */
class AnswerParts {
  #id: string | null = null;
  #open: { readonly kind: "text" | "reasoning"; readonly id: string } | null = null;
  #blocks = 0;
  #state: "new" | "started" | "finished" = "new";
  #finishReason: string | undefined;
  #usage: Usage | null = null;
  readonly #calls = new CallAssembler(() => this.#id ?? "");

  /** True when nothing more is to come that belongs to the answer. */
  get isComplete(): boolean {
    return this.#finishReason !== undefined && this.#usage !== null;
  }

  start(data: JsonObject, parts: Part[]): void {
    if (this.#state !== "new" || !Array.isArray(data["choices"])) return;
    this.#state = "started";
    this.#id = stringAt(data, "id") || null;
    parts.push({ type: "response-start", id: this.#id, model: stringAt(data, "model") || null });
  }

  grow(delta: Delta, parts: Part[]): void {
    if (this.#state === "finished") return;
    if (delta.reasoning !== "") {
      const id = this.#into("reasoning", parts);
      parts.push({ type: "reasoning-delta", id, text: delta.reasoning });
    }
    const text = delta.text + delta.refusal;
    if (text !== "") {
      const id = this.#into("text", parts);
      parts.push({ type: "text-delta", id, text });
    }
    if (delta.calls.length > 0) parts.push(...this.#close());
    for (const piece of delta.calls) parts.push(...this.#calls.add(piece));
  }

  note(finishReason: string | undefined, usage: Usage | null): void {
    this.#finishReason = finishReason ?? this.#finishReason;
    this.#usage = usage ?? this.#usage;
  }

  /** The last parts; none when the finish reason was not seen, or at the second call. */
  finish(): Part[] {
    if (this.#state !== "started" || this.#finishReason === undefined) return [];
    this.#state = "finished";
    const reason = readFinishReason(this.#finishReason, this.#calls.hasCalls);
    return [...this.#close(), ...this.#calls.finish(), { type: "finish", reason, usage: this.#usage }];
  }

  /** The id of the open block of this kind; closes the other kind and opens a new block if need be. */
  #into(kind: "text" | "reasoning", parts: Part[]): string {
    if (this.#open?.kind === kind) return this.#open.id;
    parts.push(...this.#close());
    this.#open = { kind, id: `${kind}-${this.#blocks++}` };
    parts.push({ type: `${kind}-start`, id: this.#open.id });
    return this.#open.id;
  }

  #close(): Part[] {
    if (this.#open === null) return [];
    const { kind, id } = this.#open;
    this.#open = null;
    return [{ type: `${kind}-end`, id }];
  }
}
