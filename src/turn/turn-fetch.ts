import { UnderstudyError } from "../core/error.ts";
import type { TurnEvent } from "../core/events.ts";
import type { ProtocolName, Route } from "../core/target.ts";
import { readTopLevel } from "../protocols/edit-json.ts";
import { protocols } from "../protocols/index.ts";
import { forwardRequestHeaders, forwardResponseHeaders } from "./forwarded-headers.ts";
import { aboutTurn } from "./about-turn.ts";
import type { CallerAnswer } from "./caller-answer.ts";
import { chooseLastWord } from "./last-word.ts";
import { runTurn, type TurnResult } from "./run-turn.ts";
import type { TurnRuntime } from "./runtime.ts";
import { reportFailedTurn } from "./turn-error.ts";

export interface TurnFetchOptions {
  readonly runtime: TurnRuntime;
  /** The route for what the caller calls a model. Throws `route_unknown`. */
  readonly resolveRoute: (model: string) => Route;
  readonly onEvent?: (event: TurnEvent) => void;
}

/** A drop-in `fetch` for clients that let one be handed in: the official SDKs, the AI SDK's providers. */
export type TurnFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/**
 * A `fetch` that answers model calls by turns. The path says the protocol (`…/responses`, `…/chat/completions`, `…/messages`), the
 * body's `model` names a route, a `provider/model`, or a model. The caller's own key and host are not used. A turn that nobody
 * could answer is a response with an error in the caller's protocol, never a throw; anything that is no model call gets a 404.
 */
export function createTurnFetch(options: TurnFetchOptions): TurnFetch {
  return async (input, init) => {
    const request = new Request(input, init);
    // Not the request's own signal: that one follows the caller's only as long as the request itself is not collected.
    const signal = init?.signal ?? (input instanceof Request ? input.signal : null);
    const dialect = dialectOf(new URL(request.url).pathname);
    if (dialect === null || request.method !== "POST") {
      return Response.json(
        { error: { message: `${request.method} ${request.url} is no model call` } },
        { status: 404 },
      );
    }
    const body = await request.text();
    let asked: { model: string; stream: boolean; route: Route };
    try {
      asked = readAsked(body, options.resolveRoute);
    } catch (error) {
      if (!(error instanceof UnderstudyError)) throw error;
      return errorResponse(dialect, {
        status: error.code === "route_unknown" ? 404 : 400,
        type: "invalid_request_error",
        code: error.code,
        message: error.message,
      });
    }
    const headers = forwardRequestHeaders(request.headers);
    const result = await runTurn(
      options.runtime,
      { dialect, body, stream: asked.stream, headers },
      {
        route: asked.route,
        ...(signal === null ? {} : { signal }),
        ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
      },
    );
    if (!result.ok) {
      if (result.outcome === "cancelled")
        throw signal?.reason ?? new UnderstudyError("cancelled", "the turn was cancelled");
      return failedResponse(options.runtime, dialect, asked.route, result, request.headers);
    }
    return new Response(bodyOf(result.answer, signal), {
      status: 200,
      headers: {
        ...forwardResponseHeaders(result.headers, result.candidate.credential.id),
        "content-type": result.answer.contentType,
        ...aboutTurn(result),
      },
    });
  };
}

/** The answer as a body. One that is given back unread is closed all the same: a generator that was never begun has no end of its own. */
function bodyOf(answer: CallerAnswer, signal: AbortSignal | null): ReadableStream<Uint8Array> {
  const chunks = untilAborted(answer.bytes(), signal);
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await chunks.next();
        if (next.done === true) controller.close();
        else controller.enqueue(next.value);
      },
      async cancel() {
        await answer.close();
        await chunks.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

/** A caller that gave up gets its own reason, as from any `fetch`, and not an answer that was cut. */
async function* untilAborted(bytes: AsyncIterable<Uint8Array>, signal: AbortSignal | null): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    if (signal?.aborted === true) break;
    yield chunk;
  }
  if (signal?.aborted === true) throw signal.reason;
}

function dialectOf(path: string): ProtocolName | null {
  if (path.endsWith("/chat/completions")) return "chat-completions";
  if (path.endsWith("/responses")) return "responses";
  if (path.endsWith("/messages")) return "messages";
  return null;
}

function readAsked(
  body: string,
  resolveRoute: (model: string) => Route,
): { model: string; stream: boolean; route: Route } {
  const { model, stream } = readTopLevel(body, ["model", "stream"]);
  if (typeof model !== "string" || model === "") {
    throw new UnderstudyError("request_refused", "the request names no model");
  }
  return { model, stream: stream === true, route: resolveRoute(model) };
}

function failedResponse(
  runtime: TurnRuntime,
  dialect: ProtocolName,
  route: Route,
  result: Extract<TurnResult, { ok: false }>,
  asked: Headers,
): Response {
  const now = runtime.clock.now();
  const report = reportFailedTurn(result, route.name, runtime.findProvider, now);
  const { error, headers } = chooseLastWord(result, report, { dialect, userAgent: asked.get("user-agent") ?? "" }, now);
  return errorResponse(dialect, error, { ...headers, ...aboutTurn(result) });
}

function errorResponse(
  dialect: ProtocolName,
  error: Parameters<(typeof protocols)[ProtocolName]["encodeError"]>[0],
  headers: Record<string, string> = {},
): Response {
  return Response.json(protocols[dialect].encodeError(error).body, { status: error.status, headers });
}
