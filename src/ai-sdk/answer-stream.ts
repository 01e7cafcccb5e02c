import type { LanguageModelV4StreamPart } from "@ai-sdk/provider";
import type { Usage } from "../core/events.ts";
import type { FinishReason } from "../protocols/canonical.ts";
import { aboutAnswer, type CommittedTurn } from "./about-answer.ts";
import { abortErrorOf } from "./abort-error.ts";
import { createAnswerPartWriter } from "./answer-parts.ts";
import { cutAnswerError } from "./call-error.ts";
import { toUsage } from "./usage.ts";
import type { Warnings } from "./warnings.ts";

export interface AnswerStreamInput {
  readonly turn: CommittedTurn;
  readonly warnings: Warnings;
  /** Name of the route. */
  readonly route: string;
  /** Unix ms. */
  readonly at: number;
  /** The caller's. */
  readonly signal: AbortSignal | undefined;
  /** Ends the upstream call. */
  readonly giveUp: () => void;
}

/**
 * A turn at its commit point → the AI SDK's stream. Whoever was tried before has left no part in it, so there is exactly one
 * `stream-start`.
 *
 * The finish is the last part, held until the upstream has proven its end. An answer that broke off ends with an `error` and the
 * finish reason `error`, upon which the AI SDK runs none of its tools. When the caller aborts, the stream fails with the abort.
 */
export function createAnswerStream(input: AnswerStreamInput): ReadableStream<LanguageModelV4StreamPart> {
  const parts = streamParts(input);
  return new ReadableStream({
    async pull(controller) {
      const next = await parts.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
    async cancel() {
      // The upstream first: the generator may stand in the middle of waiting for it.
      input.giveUp();
      await parts.return(undefined);
      await input.turn.answer.close();
    },
  });
}

async function* streamParts(input: AnswerStreamInput): AsyncGenerator<LanguageModelV4StreamPart, void> {
  const { turn, warnings, signal } = input;
  const { answer, candidate } = turn;
  const writer = createAnswerPartWriter(candidate, input.at);
  let finish: { reason: FinishReason; usage: Usage | null } | null = null;

  yield { type: "stream-start", warnings: warnings.list };
  for await (const part of answer.parts()) {
    if (part.type === "finish") finish = part;
    else yield* writer.write(part);
  }

  const end = answer.end();
  const providerMetadata = aboutAnswer(turn);
  if (end?.kind === "complete") {
    yield {
      type: "finish",
      usage: toUsage(finish?.usage ?? end.usage),
      finishReason: { unified: finish?.reason ?? "other", raw: undefined },
      providerMetadata,
    };
    return;
  }
  if (signal?.aborted === true) throw abortErrorOf(signal);
  yield* writer.close();
  yield { type: "error", error: await cutAnswerError(turn, input.route) };
  yield {
    type: "finish",
    usage: toUsage(finish?.usage ?? null),
    finishReason: { unified: "error", raw: end?.failure.reason },
    providerMetadata,
  };
}
