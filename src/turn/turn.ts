import { UnderstudyError } from "../core/error.ts";
import type { Candidate, TurnEvent, Usage } from "../core/events.ts";
import type { FinishReason, Part } from "../protocols/canonical.ts";
import { runTurn } from "./run-turn.ts";
import type { TurnRequest } from "./request.ts";
import type { TurnRuntime } from "./runtime.ts";
import { reportFailedTurn, toTurnError } from "./turn-error.ts";
import type { TurnOptions } from "./turn-options.ts";

/**
 * One turn of an agent. Iterate it to see what happens as it happens (events of the turn and parts of the answer, in order), or await
 * `answer` for the whole, or both. It runs whether or not anybody looks.
 */
export interface Turn extends AsyncIterable<TurnItem> {
  /**
   * The complete answer. Rejects with an `UnderstudyError`: `turn_failed` (nobody could answer), `request_refused` (the caller's
   * mistake), `answer_cut` (it broke off after its beginning), `cancelled`.
   */
  readonly answer: Promise<Answer>;
}

/** What a turn yields: its events, and the parts of its answer wrapped as `{ type: "part" }`. */
export type TurnItem = TurnEvent | { readonly type: "part"; readonly part: Part };

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON text of the arguments. */
  readonly input: string;
}

export interface Answer {
  readonly turnId: string;
  readonly text: string;
  /** Readable reasoning, if the model gave any. */
  readonly reasoning: string;
  readonly toolCalls: readonly ToolCall[];
  readonly finishReason: FinishReason;
  readonly usage: Usage | null;
  /** Who answered. */
  readonly servedBy: Candidate;
  /** Candidates tried, the one that answered included. */
  readonly attempts: number;
  readonly switched: boolean;
}

/** Starts a turn. */
export function startTurn(runtime: TurnRuntime, request: TurnRequest, options: TurnOptions): Turn {
  const items = new Channel<TurnItem>();
  const answer = collect(
    runtime,
    request,
    {
      ...options,
      onEvent(event) {
        items.push(event);
        options.onEvent?.(event);
      },
    },
    (part) => items.push({ type: "part", part }),
  ).finally(() => items.close());
  // Whoever only iterates does not have to handle the rejection.
  answer.catch(() => {});
  return { answer, [Symbol.asyncIterator]: () => items.read() };
}

async function collect(
  runtime: TurnRuntime,
  request: TurnRequest,
  options: TurnOptions,
  onPart: (part: Part) => void,
): Promise<Answer> {
  const result = await runTurn(runtime, request, options);
  if (!result.ok) {
    const report = reportFailedTurn(result, options.route.name, runtime.findProvider, runtime.clock.now());
    throw toTurnError(result, report);
  }
  let text = "";
  let reasoning = "";
  const toolCalls: ToolCall[] = [];
  let finish: Extract<Part, { type: "finish" }> | null = null;
  for await (const part of result.answer.parts()) {
    onPart(part);
    if (part.type === "text-delta") text += part.text;
    if (part.type === "reasoning-delta") reasoning += part.text;
    if (part.type === "tool-call") toolCalls.push({ id: part.id, name: part.name, input: part.input });
    if (part.type === "finish") finish = part;
  }
  await result.done;
  const end = result.answer.end();
  if (end?.kind === "cut") {
    const code = end.failure.reason === "cancelled" ? "cancelled" : "answer_cut";
    throw new UnderstudyError(code, `the answer broke off: ${end.failure.message}`, { failure: end.failure });
  }
  return {
    turnId: result.turnId,
    text,
    reasoning,
    toolCalls,
    finishReason: finish?.reason ?? "other",
    usage: finish?.usage ?? (end?.kind === "complete" ? end.usage : null),
    servedBy: result.candidate,
    attempts: result.attempts,
    switched: result.switched,
  };
}

/** An unbounded queue with one reader: what is pushed before it is read is kept. */
class Channel<T> {
  readonly #waiting: T[] = [];
  #wake: (() => void) | null = null;
  #closed = false;

  push(item: T): void {
    this.#waiting.push(item);
    this.#wake?.();
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  async *read(): AsyncGenerator<T> {
    for (;;) {
      const item = this.#waiting.shift();
      if (item !== undefined) {
        yield item;
      } else if (this.#closed) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = null;
      }
    }
  }
}
