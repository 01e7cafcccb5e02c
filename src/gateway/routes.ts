import type { IncomingMessage, ServerResponse } from "node:http";
import type { ProtocolName } from "../core/target.ts";
import { answerTurn } from "./answer-turn.ts";
import type { GatewayContext } from "./context.ts";
import { countTokens } from "./count-tokens.ts";
import { checkHost, checkQuery } from "./guard.ts";
import { mergeFamilies, renderFamilies } from "../telemetry/prometheus.ts";
import { listModels } from "./list-models.ts";
import { type Refusal, writeRefusal, writeWhole } from "./refusal.ts";

interface RouteEntry {
  /** Shape of its errors. */
  readonly dialect: ProtocolName;
  /** True when it can be asked without the client key: it tells nothing about anybody. */
  readonly open?: boolean;
  readonly answer: (
    context: GatewayContext,
    request: IncomingMessage,
    response: ServerResponse,
  ) => Promise<void> | void;
}

const turnIn = (dialect: ProtocolName): RouteEntry => ({
  dialect,
  answer: (context, request, response) => answerTurn(context, dialect, request, response),
});

const routes: Readonly<Record<string, RouteEntry>> = {
  "POST /v1/responses": turnIn("responses"),
  "POST /v1/chat/completions": turnIn("chat-completions"),
  "POST /v1/messages": turnIn("messages"),
  "POST /v1/messages/count_tokens": { dialect: "messages", answer: countTokens },
  "GET /v1/models": {
    dialect: "chat-completions",
    answer: ({ workspace }, _, response) => writeWhole(response, 200, {}, JSON.stringify(listModels(workspace.config))),
  },
  "GET /health": {
    dialect: "chat-completions",
    open: true,
    answer: (_, __, response) => writeWhole(response, 200, {}, '{"status":"ok"}'),
  },
  "GET /ready": {
    dialect: "chat-completions",
    open: true,
    answer: ({ turns }, _, response) =>
      writeWhole(response, turns.draining ? 503 : 200, {}, `{"status":"${turns.draining ? "closing" : "ready"}"}`),
  },
  "GET /metrics": {
    dialect: "chat-completions",
    async answer({ metrics, metricsOfOthers }, _, response) {
      const processes = await Promise.all([metrics.families(), metricsOfOthers()]);
      const text = renderFamilies(mergeFamilies([processes[0], ...processes[1]]));
      writeWhole(response, 200, {}, text, "text/plain; version=0.0.4; charset=utf-8");
    },
  },
  "GET /": {
    dialect: "chat-completions",
    open: true,
    answer: (_, request, response) => writeWhole(response, 200, {}, helpText(request), "text/plain; charset=utf-8"),
  },
  "HEAD /": {
    dialect: "chat-completions",
    open: true,
    answer: (_, __, response) => void response.writeHead(200).end(),
  },
};

/** By path, then by method: a request is looked up as it came. */
const byPath = new Map<string, Map<string, RouteEntry>>();
for (const [name, entry] of Object.entries(routes)) {
  const [method = "", path = ""] = name.split(" ");
  byPath.set(path, (byPath.get(path) ?? new Map<string, RouteEntry>()).set(method, entry));
}

/** Answers one request. Never rejects. */
export function handle(
  context: GatewayContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> | void {
  const { url = "/", method = "GET" } = request;
  const at = url.indexOf("?");
  const path = at < 0 ? url : url.slice(0, at);
  const route = byPath.get(path)?.get(method);
  const dialect = route?.dialect ?? "chat-completions";
  const isForPage = context.page?.claims(request, path) === true;
  const refusal =
    checkHost(request, context.allowedHosts) ??
    (at < 0 ? null : checkQuery(url.slice(at + 1))) ??
    (isForPage || route?.open === true || context.hasKey(request.headers) ? null : wrongKey());
  if (refusal !== null) return writeRefusal(response, dialect, refusal);
  const broken = (error: unknown): void => {
    context.onNotice(`an error of the gateway's own: ${error instanceof Error ? error.message : String(error)}`);
    response.destroy();
  };
  try {
    // The page asks for a key of its own.
    if (isForPage) return context.page?.answer(request, response, path).catch(broken);
    if (route === undefined) return writeRefusal(response, dialect, notFound(method, path));
    return route.answer(context, request, response)?.catch(broken);
  } catch (error) {
    broken(error);
  }
}

/** `x-should-retry` stops Claude Code and the official SDKs at once; Codex tries six times in eight seconds. */
function wrongKey(): Refusal {
  return {
    status: 401,
    code: "client_key_wrong",
    message: "the gateway's client key is missing or wrong: understudy serve --print-key shows it",
    headers: { "x-should-retry": "false", "www-authenticate": "Bearer" },
    close: true,
  };
}

function notFound(method: string, path: string): Refusal {
  const known = Object.keys(routes).find((name) => name.endsWith(` ${path}`));
  if (known !== undefined) {
    const [allow = ""] = known.split(" ");
    return { status: 405, code: "method_not_allowed", message: `${path} is asked with ${allow}`, headers: { allow } };
  }
  return { status: 404, code: "not_found", message: `the gateway has no ${method} ${path.slice(0, 200)}`, close: true };
}

function helpText({ headers }: IncomingMessage): string {
  const base = `http://${headers.host ?? "127.0.0.1"}`;
  return [
    "Understudy's gateway. A client needs two lines:",
    `  base URL  ${base}/v1  (Anthropic clients: ${base})`,
    "  key       what `understudy serve --print-key` prints",
    "",
  ].join("\n");
}
