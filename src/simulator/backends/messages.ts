import type { ModelRequest } from "../answer.ts";
import { jsonReply, type Reply } from "../reply.ts";
import type { Call, Stage } from "../role.ts";
import { isObjection, type Objection } from "../wire/dialect.ts";
import { messagesDialect } from "../wire/messages-dialect.ts";
import { Backend, type Caller } from "./backend.ts";
import { bearerOf } from "./bearer.ts";
import { KeyRing } from "./key-ring.ts";

/** Anthropic's API with keys: Messages as a stream and not, counting of tokens, and the list of models. */
export class MessagesBackend extends Backend {
  readonly keys: KeyRing;
  protected override readonly modelCall = "POST /v1/messages";
  protected override readonly otherCalls = ["POST /v1/messages/count_tokens", "GET /v1/models"];

  constructor(stage: Stage) {
    super(stage, messagesDialect, ["claude-opus-4-8", "claude-haiku-4-5"]);
    this.keys = new KeyRing("sk-ant-api03-", stage.ids, stage.secrets);
  }

  /** Without `/v1`, as Anthropic's clients want it. */
  override get baseUrl(): string {
    return this.origin;
  }

  /** The key comes in `x-api-key`, or as a bearer token, as the official client sends it from version 1 on. */
  protected override authenticate(call: Call): Caller | Objection {
    const presented = call.headers["x-api-key"] ?? bearerOf(call);
    if (typeof presented !== "string") return { status: 401, message: "x-api-key header is required" };
    const key = this.keys.find(presented);
    if (key === null) return { status: 401, message: "invalid x-api-key" };
    if (typeof call.headers["anthropic-version"] !== "string") {
      return { status: 400, message: "anthropic-version: header is required" };
    }
    return { credential: key.name, plan: "api", presented };
  }

  /** With the beta that Claude Code asks for, a system message may stand between the others. */
  protected override readRequest(call: Call, caller: Caller): ModelRequest | Objection {
    const mayHaveSystem = String(call.headers["anthropic-beta"] ?? "").includes("mid-conversation-system");
    return super.readRequest(mayHaveSystem ? { ...call, text: withSystemAsUser(call.text) } : call, caller);
  }

  protected override headersFor(): Record<string, string> {
    return { "request-id": this.stage.ids.next("req_"), "anthropic-organization-id": "org-simulated" };
  }

  protected override answerOther(call: Call, caller: Caller): Reply {
    if (call.method === "GET") {
      const data = this.models.map((id) => ({
        type: "model",
        id,
        display_name: id,
        created_at: "2026-01-01T00:00:00Z",
      }));
      return jsonReply(200, { data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null });
    }
    const request = this.readRequest({ ...call, text: withMaxTokens(call.text) }, caller);
    if (isObjection(request)) return this.refuse(call, request);
    return jsonReply(200, { input_tokens: Math.ceil(call.text.length / 4) });
  }
}

function withSystemAsUser(text: string): string {
  try {
    const body = JSON.parse(text) as { messages?: { role?: unknown }[] };
    const messages = body.messages?.map((one) => (one.role === "system" ? { ...one, role: "user" } : one));
    return JSON.stringify({ ...body, messages });
  } catch {
    return text;
  }
}

/** Counting takes the body of a call without its `max_tokens`. */
function withMaxTokens(text: string): string {
  try {
    return JSON.stringify({ ...(JSON.parse(text) as object), max_tokens: 100_000 });
  } catch {
    return text;
  }
}
