import type { IncomingMessage, ServerResponse } from "node:http";
import type { CancelSignal } from "../core/cancel.ts";
import { isUnderstudyError } from "../core/error.ts";
import type { TurnEvent, TurnRecord } from "../core/events.ts";
import type { Soon } from "../core/soon.ts";
import type { ProtocolName } from "../core/target.ts";
import { cleanMessage } from "../failures/clean-message.ts";
import { protocols } from "../protocols/index.ts";
import { aboutTurn } from "../turn/about-turn.ts";
import type { Taker } from "../turn/answer-stream.ts";
import type { CallerAnswer } from "../turn/caller-answer.ts";
import { forwardRawHeaders, forwardResponseHeaders } from "../turn/forwarded-headers.ts";
import { chooseLastWord, type LastWord, troubleWord } from "../turn/last-word.ts";
import { runTurn, type TurnResult } from "../turn/run-turn.ts";
import { reportFailedTurn } from "../turn/turn-error.ts";
import type { BodyBytes } from "./body-bytes.ts";
import { CallerStream } from "./caller-stream.ts";
import type { GatewayContext } from "./context.ts";
import { keepWaiting, takesInterim } from "./interim.ts";
import { keepAliveFor } from "./keep-alive.ts";
import type { Asked } from "./read-asked.ts";
import { RunningTurn } from "./page/running-turns.ts";
import { writeError, writeWhole } from "./refusal.ts";

const eventStream = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" };

/** One model call of a client, from its body to the last byte of its answer. Takes whole answers; what streams has a `CallerStream`. */
export class ModelCall implements Taker {
  readonly #context: GatewayContext;
  readonly #dialect: ProtocolName;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #asked: Asked;
  readonly #body: BodyBytes;
  readonly #signal: CancelSignal;
  readonly #stream: CallerStream | null;
  readonly #stopWaiting: (() => void) | null;
  readonly #arrivedAt = performance.now();
  #turnId = "";
  /** What the page has noted of it; null while nothing. */
  #noted: RunningTurn | null = null;
  /** What is given to the client. */
  #answer: CallerAnswer | null = null;
  /** The headers of a whole answer. */
  #headers: Readonly<Record<string, string>> = {};

  constructor(
    context: GatewayContext,
    dialect: ProtocolName,
    request: IncomingMessage,
    response: ServerResponse,
    asked: Asked,
    body: BodyBytes,
    signal: CancelSignal,
  ) {
    this.#context = context;
    this.#dialect = dialect;
    this.#request = request;
    this.#response = response;
    this.#asked = asked;
    this.#body = body;
    this.#signal = signal;
    const { limits } = context;
    const mayInterim = takesInterim(request);
    this.#stream = asked.stream
      ? new CallerStream({
          response,
          chunked: request.httpVersion === "1.1",
          keepAlive: keepAliveFor(dialect, request.headers),
          everyMs: limits.keepAliveMs,
          stalledMs: limits.stalledClientMs,
          interimMs: mayInterim ? limits.interimMs : 0,
          signal,
          earlyHeaders: () => ({ ...eventStream, "x-understudy-turn": this.#turnId }),
        })
      : null;
    this.#stopWaiting = !asked.stream && mayInterim ? keepWaiting(response, limits.keepAliveMs) : null;
  }

  /** Runs the turn; as part of the client's trace, if somebody traces. */
  run(): Promise<TurnResult> {
    const { tracing } = this.#context;
    if (tracing === null) return this.#runTurn();
    const { traceparent } = this.#request.headers;
    return tracing.within(Array.isArray(traceparent) ? undefined : traceparent, () => this.#runTurn());
  }

  #runTurn(): Promise<TurnResult> {
    const { affinity, workspace } = this.#context;
    const { route, stream, conversation } = this.#asked;
    const preferred = affinity.preferred(conversation);
    const headers = forwardRawHeaders(this.#request.rawHeaders);
    return runTurn(
      workspace.runtime,
      { dialect: this.#dialect, body: this.#body, stream, headers },
      {
        route,
        signal: this.#signal,
        ...(preferred === undefined ? {} : { preferredCredentialId: preferred }),
        onEvent: (event) => this.#tell(event),
      },
    );
  }

  #tell(event: TurnEvent): void {
    const { onEvent, page } = this.#context;
    if (event.type === "turn-start") this.#turnId = event.turnId;
    onEvent(event);
    if (page !== null) page.observe((this.#noted ??= new RunningTurn()), event);
  }

  /** Gives the client its answer; at once if it is there as a whole. */
  write(result: Extract<TurnResult, { ok: true }>): Soon<void> {
    this.#answer = result.answer;
    this.#context.metrics.firstEvent(performance.now() - this.#arrivedAt);
    const headers = { ...forwardResponseHeaders(result.headers, result.candidate.credential.id), ...aboutTurn(result) };
    if (this.#stream !== null) return this.#writeStream(this.#stream, headers, result.answer);
    this.#headers = headers;
    return result.answer.pour(this);
  }

  async #writeStream(stream: CallerStream, headers: Record<string, string>, answer: CallerAnswer): Promise<void> {
    stream.begin(200, { ...eventStream, ...headers });
    await answer.pour(stream);
    stream.end();
  }

  take(bytes: Uint8Array): boolean {
    writeWhole(this.#response, 200, this.#headers, bytes);
    return true;
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  /** Whoever said the last word serves the conversation: another one may have gone on from the first. */
  remember({ outcome, attempts }: TurnRecord): void {
    const { affinity } = this.#context;
    const { conversation } = this.#asked;
    const last = attempts.at(-1)?.candidate;
    if (outcome === "answered" && last !== undefined) affinity.served(conversation, last.credential.id);
    if (outcome === "cut") affinity.failed(conversation);
  }

  /** Nobody could answer. */
  fail(result: Extract<TurnResult, { ok: false }>): void {
    // A caller that left, or asked for what nobody answers, says nothing of the login.
    const isCallers = result.outcome === "cancelled" || result.failure?.scope === "request";
    if (!isCallers) this.#context.affinity.failed(this.#asked.conversation);
    if (result.outcome !== "failed") return;
    const said = { dialect: this.#dialect, asked: this.#asked, userAgent: this.#request.headers["user-agent"] };
    writeFailed(this.#context, said, result, this.#response, this.#stream);
  }

  /** An error of our own: told inside the stream if that has begun. False when it has not, so that it can be told with a status. */
  broke(error: unknown): boolean {
    if (this.#noted !== null) this.#context.page?.leave(this.#noted);
    this.#closeAnswer();
    if (this.#stream === null || !this.#response.headersSent) return false;
    const { event } = protocols[this.#dialect].encodeError(brokenWord(this.#context, this.#dialect, error).error);
    this.#stream.fail(event);
    return true;
  }

  /** Nobody reads it any more. What it still has to say of its own fault is told already. */
  #closeAnswer(): void {
    this.#answer?.close().catch(() => {});
  }

  /** No more signs of life. */
  stop(): void {
    this.#stream?.stop();
    this.#stopWaiting?.();
  }
}

interface Said {
  readonly dialect: ProtocolName;
  readonly asked: Asked;
  readonly userAgent: string | undefined;
}

/** Nobody could answer: with the status that makes this client stop, or inside the stream if the head is out. */
function writeFailed(
  context: GatewayContext,
  { dialect, asked, userAgent }: Said,
  result: Extract<TurnResult, { ok: false }>,
  response: ServerResponse,
  stream: CallerStream | null,
): void {
  const { findProvider, clock } = context.workspace.runtime;
  const report = reportFailedTurn(result, asked.route.name, findProvider, clock.now());
  const word = chooseLastWord(result, report, { dialect, userAgent }, clock.now());
  writeLastWord(dialect, { ...word, headers: { ...word.headers, ...aboutTurn(result) } }, response, stream);
}

export function writeLastWord(
  dialect: ProtocolName,
  { error, headers }: LastWord,
  response: ServerResponse,
  stream: CallerStream | null,
): void {
  if (stream?.isEarly !== true) return writeError(response, dialect, error, headers);
  stream.begin(200, headers);
  stream.write(protocols[dialect].encodeError(error).event);
  stream.end();
}

/** Tells whoever runs the gateway of a fault of its own, and gives what the client is told. */
export function brokenWord(context: GatewayContext, dialect: ProtocolName, error: unknown): LastWord {
  const said = cleanMessage(error instanceof Error ? error.message : String(error));
  const message = isUnderstudyError(error) ? said : `an error of the gateway's own: ${said}`;
  context.onNotice(message);
  return troubleWord(dialect, message);
}
