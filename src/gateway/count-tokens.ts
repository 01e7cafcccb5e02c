import type { IncomingMessage, ServerResponse } from "node:http";
import { readText } from "../core/transport.ts";
import type { Credential } from "../credentials/credential.ts";
import { cleanMessage } from "../failures/clean-message.ts";
import { editTopLevel } from "../protocols/edit-json.ts";
import { protocols } from "../protocols/index.ts";
import { listCandidates } from "../turn/candidates.ts";
import { forwardRequestHeaders } from "../turn/forwarded-headers.ts";
import type { LineCandidate } from "../turn/line.ts";
import type { TurnRuntime } from "../turn/runtime.ts";
import type { GatewayContext } from "./context.ts";
import { isRefusal, readAsked } from "./read-asked.ts";
import { readBody } from "./read-body.ts";
import { type Refusal, writeRefusal, writeWhole } from "./refusal.ts";

const answerLimit = 64 * 1024;
const timeoutMs = 30_000;

/**
 * `POST /v1/messages/count_tokens`: asked of the first target of the route that speaks Messages. Where none does it is a 404, on
 * which clients count for themselves. It is no turn: nobody is benched and nothing is tried twice.
 */
export async function countTokens(
  context: GatewayContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { workspace, limits } = context;
  const body = await readBody(request, limits.bodyBytes);
  if (!body.ok) {
    if (body.refusal !== null) writeRefusal(response, "messages", body.refusal);
    return;
  }
  const asked = readAsked(body.json, request.headers, workspace.config);
  if (isRefusal(asked)) return writeRefusal(response, "messages", asked);
  try {
    const found = await findCounter(workspace.runtime, (await listCandidates(workspace.runtime, asked.route)).line.all);
    if (found === null) {
      const message = `no target of ${asked.route.name} that is usable now counts tokens`;
      return writeRefusal(response, "messages", { status: 404, code: "not_found", message });
    }
    const { status, text } = await post(workspace.runtime, found, body.json.text(), request);
    if (status === 200) return writeWhole(response, 200, {}, text);
    const { message = "the provider gave no reason" } = protocols.messages.readError(status, {}, text);
    writeRefusal(response, "messages", passedOn(status, message));
  } catch (error) {
    writeRefusal(response, "messages", passedOn(502, error instanceof Error ? error.message : String(error)));
  }
}

/** A client that can't count goes on without; so nothing here is worth asking again for. */
function passedOn(status: number, message: string): Refusal {
  const final = status === 400 || status === 404 || status === 413 ? status : 400;
  return {
    status: final,
    code: "count_failed",
    message: cleanMessage(message),
    headers: { "x-should-retry": "false" },
  };
}

interface Counter {
  readonly url: string;
  readonly model: string;
  readonly headers: Record<string, string>;
}

async function findCounter(runtime: TurnRuntime, line: readonly LineCandidate[]): Promise<Counter | null> {
  for (const { target, credential } of line) {
    const provider = runtime.findProvider(target.provider);
    if (provider === null) continue;
    const secret = await readSecret(runtime, credential);
    if (secret === null) continue;
    const { baseUrl, protocol } = runtime.resolveEndpoint(provider, target.model, secret);
    if (protocol !== "messages") continue;
    const extra = provider.headers?.(credential.kind === "oauth" ? credential : null);
    return {
      url: `${protocols.messages.endpoint(baseUrl)}/count_tokens`,
      model: target.model,
      headers: { ...protocols.messages.headers(secret), ...extra },
    };
  }
  return null;
}

/** Null when this credential has none that could be used. */
async function readSecret(runtime: TurnRuntime, credential: Credential): Promise<string | null> {
  if (credential.kind === "oauth") {
    const token = await runtime.keeper.makeGood(credential);
    return token.ok ? token.credential.grant.accessToken.reveal() : null;
  }
  try {
    return (await runtime.readKey(credential.source))?.reveal() ?? "";
  } catch {
    return null;
  }
}

async function post(
  { transport }: TurnRuntime,
  { url, model, headers }: Counter,
  body: string,
  request: IncomingMessage,
): Promise<{ status: number; text: string }> {
  const { "anthropic-beta": beta } = forwardRequestHeaders(Object.entries(request.headers) as [string, string][]);
  const answer = await transport.send({
    method: "POST",
    url,
    headers: { accept: "application/json", ...(beta === undefined ? {} : { "anthropic-beta": beta }), ...headers },
    body: editTopLevel(body, { set: { model } }),
    signal: AbortSignal.timeout(timeoutMs),
  });
  return { status: answer.status, text: await readText(answer.body, answerLimit) };
}
