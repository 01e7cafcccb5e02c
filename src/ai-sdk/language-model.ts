import type { LanguageModelV4, LanguageModelV4CallOptions } from "@ai-sdk/provider";
import { resolveRoute } from "../config/resolve-route.ts";
import type { TurnEvent } from "../core/events.ts";
import { aboutTurn } from "../turn/about-turn.ts";
import { runTurn } from "../turn/run-turn.ts";
import { backstageOf, type Understudy } from "../understudy.ts";
import type { Workspace } from "../workspace.ts";
import { abortErrorOf } from "./abort-error.ts";
import { type CommittedTurn, warnOfDropped } from "./about-answer.ts";
import { collectAnswer } from "./answer-content.ts";
import { createAnswerStream } from "./answer-stream.ts";
import { cutAnswerError, spentRouteError } from "./call-error.ts";
import { writeCall } from "./request.ts";
import { metadataKey } from "./stamp.ts";
import type { Warnings } from "./warnings.ts";

/** What `createUnderstudy` has returned, or an opened workspace. */
export type ModelSource = Understudy | Workspace;

export interface LanguageModelOptions {
  /** Told what happens in every turn of this model, after the `onEvent` of the `Understudy`. Must not throw. */
  readonly onEvent?: (event: TurnEvent) => void;
}

/**
 * A language model of the AI SDK (specification v4, `ai` 7) for a route: each call is a turn. Loads nothing of the AI SDK but, when a
 * turn fails, its error class.
 *
 * - `route`: a route, `provider/model`, or a model that the routes name once. Default: the default route. Throws `route_unknown`.
 * - A whole answer (`generateText`) is held until it is complete, so a provider may die in the middle of it unseen. A stream is
 *   held until its first content; after that a cut is an `error` part, and `streamText({ streamRetries: 1 })` asks again.
 * - When nobody can answer: an `APICallError` that is not retryable. When the caller aborts: its abort.
 *
 * @example
 * const { text } = await generateText({ model: createLanguageModel(understudy, "coding"), prompt: "Why is the sky blue?" });
 */
export function createLanguageModel(
  source: ModelSource,
  route?: string,
  options: LanguageModelOptions = {},
): LanguageModelV4 {
  const { workspace, onEvent } = "runtime" in source ? { workspace: source, onEvent: undefined } : backstageOf(source);
  const { runtime } = workspace;
  const { name } = resolveRoute(workspace.config, route);

  return {
    specificationVersion: "v4",
    provider: metadataKey,
    modelId: name,
    supportedUrls: {},
    async doGenerate(call) {
      const { turn, warnings } = await begin(call, false, call.abortSignal);
      const answer = await collectAnswer(turn, runtime.clock.now());
      if (turn.answer.end()?.kind !== "complete") {
        if (call.abortSignal?.aborted === true) throw abortErrorOf(call.abortSignal);
        throw await cutAnswerError(turn, name);
      }
      const response = { ...answer.response, headers: aboutTurn(turn) };
      return { ...answer, response, warnings: warnings.list };
    },
    async doStream(call) {
      const ended = new AbortController();
      const signal = call.abortSignal === undefined ? ended.signal : AbortSignal.any([call.abortSignal, ended.signal]);
      const { turn, warnings } = await begin(call, true, signal);
      return {
        stream: createAnswerStream({
          turn,
          warnings,
          route: name,
          at: runtime.clock.now(),
          signal: call.abortSignal,
          giveUp: () => ended.abort(),
        }),
        response: { headers: aboutTurn(turn) },
      };
    },
  };

  /** Runs a turn to its commit point. */
  async function begin(
    call: LanguageModelV4CallOptions,
    stream: boolean,
    signal: AbortSignal | undefined,
  ): Promise<{ turn: CommittedTurn; warnings: Warnings }> {
    // Looked up in each turn: the configuration may have been read again.
    const current = resolveRoute(workspace.config, name);
    const { request, preferredCredentialId, warnings } = writeCall(call, current, stream);
    const turn = await runTurn(
      runtime,
      { dialect: "canonical", request },
      {
        route: current,
        onEvent(event) {
          onEvent?.(event);
          options.onEvent?.(event);
        },
        ...(signal === undefined ? {} : { signal }),
        ...(preferredCredentialId === undefined ? {} : { preferredCredentialId }),
      },
    );
    if (!turn.ok) {
      if (turn.outcome === "cancelled" && call.abortSignal !== undefined) throw abortErrorOf(call.abortSignal);
      throw await spentRouteError(turn, current, runtime);
    }
    warnOfDropped(turn, warnings);
    return { turn, warnings };
  }
}
