import type { IncomingMessage, ServerResponse } from "node:http";
import type { CancelSignal } from "../core/cancel.ts";
import { isUnderstudyError } from "../core/error.ts";
import type { ProtocolName } from "../core/target.ts";
import { cleanMessage } from "../failures/clean-message.ts";
import { protocols } from "../protocols/index.ts";
import { aboutTurn } from "../turn/about-turn.ts";
import { forwardRawHeaders, forwardResponseHeaders } from "../turn/forwarded-headers.ts";
import { chooseLastWord, type LastWord, troubleWord } from "../turn/last-word.ts";
import { runTurn, type TurnResult } from "../turn/run-turn.ts";
import { reportFailedTurn } from "../turn/turn-error.ts";
import type { BodyBytes } from "./body-bytes.ts";
import { CallerStream } from "./caller-stream.ts";
import type { GatewayContext } from "./context.ts";
import { keepWaiting, takesInterim } from "./interim.ts";
import { keepAliveFor } from "./keep-alive.ts";
import { type Asked, isRefusal, readAsked } from "./read-asked.ts";
import { readBody } from "./read-body.ts";
import { writeError, writeRefusal, writeWhole } from "./refusal.ts";

const eventStream = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" };

/** Answers one model call by a turn, in the dialect in which it was asked. Never rejects. */
export async function answerTurn(
  context: GatewayContext,
  dialect: ProtocolName,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { workspace, limits, turns } = context;
  if (turns.draining) {
    const message = "the gateway is closing; ask again in a moment";
    return writeRefusal(response, dialect, { status: 503, code: "closing", message, headers: { "retry-after": "2" } });
  }
  const turn = turns.begin();
  // Until the answer is out, a closed connection means that the caller gave up.
  response.once("close", () => {
    if (!response.writableFinished) turn.controller.abort(new Error("the client closed the connection"));
  });
  try {
    const body = await readBody(request, limits.bodyBytes);
    if (!body.ok) {
      if (body.refusal !== null) writeRefusal(response, dialect, body.refusal);
      return;
    }
    const asked = readAsked(body.json, request.headers, workspace.config);
    if (isRefusal(asked)) return writeRefusal(response, dialect, asked);
    await runAndWrite(
      context,
      { dialect, asked, body: body.json, userAgent: request.headers["user-agent"], signal: turn.controller.signal },
      request,
      response,
    );
  } catch (error) {
    writeBroken(context, dialect, response, error);
  } finally {
    turn.end();
  }
}

interface Call {
  readonly dialect: ProtocolName;
  readonly asked: Asked;
  readonly body: BodyBytes;
  readonly userAgent: string | undefined;
  readonly signal: CancelSignal;
}

async function runAndWrite(
  context: GatewayContext,
  call: Call,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { affinity, limits, metrics, workspace } = context;
  const { dialect, asked, signal } = call;
  const arrivedAt = performance.now();
  let turnId = "";
  const stream = asked.stream
    ? new CallerStream({
        response,
        chunked: request.httpVersion === "1.1",
        keepAlive: keepAliveFor(dialect, request.headers),
        everyMs: limits.keepAliveMs,
        stalledMs: limits.stalledClientMs,
        interimMs: takesInterim(request) ? limits.interimMs : 0,
        signal,
        earlyHeaders: () => ({ ...eventStream, "x-understudy-turn": turnId }),
      })
    : null;
  const stopWaiting = stream === null && takesInterim(request) ? keepWaiting(response, limits.keepAliveMs) : () => {};
  try {
    const preferred = affinity.preferred(asked.conversation);
    const result = await inTrace(context, request, () =>
      runTurn(
        workspace.runtime,
        { dialect, body: call.body, stream: asked.stream, headers: forwardRawHeaders(request.rawHeaders) },
        {
          route: asked.route,
          signal,
          ...(preferred === undefined ? {} : { preferredCredentialId: preferred }),
          onEvent(event) {
            if (event.type === "turn-start") turnId = event.turnId;
            context.onEvent(event);
            context.page?.observe(turnId, event);
          },
        },
      ),
    );
    if (!result.ok) {
      // A caller that left, or asked for what nobody answers, says nothing of the login.
      const isCallers = result.outcome === "cancelled" || result.failure?.scope === "request";
      if (!isCallers) affinity.failed(asked.conversation);
      if (result.outcome === "failed") writeFailed(context, call, result, response, stream);
      return;
    }
    metrics.firstEvent(performance.now() - arrivedAt);
    await writeAnswer(result, response, stream);
    const { outcome, attempts } = await result.done;
    // Whoever said the last word: another one may have gone on from the first.
    const last = attempts.at(-1)?.candidate ?? result.candidate;
    if (outcome === "answered") affinity.served(asked.conversation, last.credential.id);
    if (outcome === "cut") affinity.failed(asked.conversation);
  } catch (error) {
    context.page?.leave(turnId);
    if (stream === null || !response.headersSent) throw error;
    stream.fail(protocols[dialect].encodeError(brokenWord(context, dialect, error).error).event);
  } finally {
    stream?.stop();
    stopWaiting();
  }
}

/** Runs a turn as part of the client's trace, if somebody traces. */
function inTrace<T>({ tracing }: GatewayContext, { headers }: IncomingMessage, work: () => T): T {
  const { traceparent } = headers;
  return tracing === null ? work() : tracing.within(Array.isArray(traceparent) ? undefined : traceparent, work);
}

async function writeAnswer(
  result: Extract<TurnResult, { ok: true }>,
  response: ServerResponse,
  stream: CallerStream | null,
): Promise<void> {
  const headers = { ...forwardResponseHeaders(result.headers, result.candidate.credential.id), ...aboutTurn(result) };
  if (stream === null) {
    return result.answer.pour({
      take(bytes) {
        writeWhole(response, 200, headers, bytes);
        return true;
      },
      ready: () => Promise.resolve(),
    });
  }
  stream.begin(200, { ...eventStream, ...headers });
  await result.answer.pour(stream);
  stream.end();
}

/** Nobody could answer: with the status that makes this client stop, or inside the stream if the head is out. */
function writeFailed(
  context: GatewayContext,
  { dialect, asked, userAgent }: Call,
  result: Extract<TurnResult, { ok: false }>,
  response: ServerResponse,
  stream: CallerStream | null,
): void {
  const { findProvider, clock } = context.workspace.runtime;
  const report = reportFailedTurn(result, asked.route.name, findProvider, clock.now());
  const word = chooseLastWord(result, report, { dialect, userAgent }, clock.now());
  writeLastWord(dialect, { ...word, headers: { ...word.headers, ...aboutTurn(result) } }, response, stream);
}

function writeLastWord(
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

/** The turn itself broke before anything was sent: the request can't be read, the store can't be used, or a bug. */
function writeBroken(context: GatewayContext, dialect: ProtocolName, response: ServerResponse, error: unknown): void {
  if (isUnderstudyError(error, "request_refused")) {
    return writeRefusal(response, dialect, { status: 400, code: "invalid_request", message: error.message });
  }
  if (error instanceof RangeError && /call stack/i.test(error.message)) {
    const message = "the request is nested too deeply";
    return writeRefusal(response, dialect, { status: 400, code: "invalid_request", message });
  }
  const word = brokenWord(context, dialect, error);
  if (response.headersSent) response.destroy();
  else writeLastWord(dialect, word, response, null);
}

/** Tells whoever runs the gateway of a fault of its own, and gives what the client is told. */
function brokenWord(context: GatewayContext, dialect: ProtocolName, error: unknown): LastWord {
  const said = cleanMessage(error instanceof Error ? error.message : String(error));
  const message = isUnderstudyError(error) ? said : `an error of the gateway's own: ${said}`;
  context.onNotice(message);
  return troubleWord(dialect, message);
}
