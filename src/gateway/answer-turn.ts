import type { IncomingMessage, ServerResponse } from "node:http";
import { isUnderstudyError } from "../core/error.ts";
import type { ProtocolName } from "../core/target.ts";
import type { GatewayContext } from "./context.ts";
import { brokenWord, ModelCall, writeLastWord } from "./model-call.ts";
import { isRefusal, readAsked } from "./read-asked.ts";
import { readBody } from "./read-body.ts";
import { writeRefusal } from "./refusal.ts";

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
  let call: ModelCall | null = null;
  try {
    const body = await readBody(request, limits.bodyBytes);
    if (!body.ok) {
      if (body.refusal !== null) writeRefusal(response, dialect, body.refusal);
      return;
    }
    const asked = readAsked(body.json, request.headers, workspace.config);
    if (isRefusal(asked)) return writeRefusal(response, dialect, asked);
    call = new ModelCall(context, dialect, request, response, asked, body.json, turn.controller.signal);
    const result = await call.run();
    if (result.ok) {
      const written = call.write(result);
      if (written instanceof Promise) await written;
      call.remember(result.record ?? (await result.done));
    } else call.fail(result);
  } catch (error) {
    if (call?.broke(error) !== true) writeBroken(context, dialect, response, error);
  } finally {
    call?.stop();
    turn.end();
  }
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
  // A whole answer goes out with its head: what broke afterwards is nothing to its client.
  if (response.writableEnded) return;
  if (response.headersSent) response.destroy();
  else writeLastWord(dialect, word, response, null);
}
