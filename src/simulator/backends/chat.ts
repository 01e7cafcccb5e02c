import type { ModelRequest } from "../answer.ts";
import { jsonReply, type Reply } from "../reply.ts";
import type { Call, Stage } from "../role.ts";
import { chatDialect } from "../wire/chat-dialect.ts";
import { checkHistory, type HistoryRule } from "../wire/chat-history.ts";
import { isObjection, type Objection } from "../wire/dialect.ts";
import { arrayOf, fieldsOf } from "../wire/fields.ts";
import { Backend, type Caller } from "./backend.ts";
import { KeyRing } from "./key-ring.ts";
import { authenticateBearer, modelList } from "./openai-common.ts";

/** Chat Completions, as a stream and not, and the list of models. */
export class ChatBackend extends Backend {
  readonly keys: KeyRing;
  /** False: a server on one's own machine that asks for no key. */
  requireKey = true;
  /** What it insists on in the answers of a history; null: no more than OpenAI does. */
  historyRule: HistoryRule | null = null;
  protected override readonly modelCall = "POST /v1/chat/completions";
  protected override readonly otherCalls = ["GET /v1/models"];

  constructor(stage: Stage) {
    super(stage, chatDialect, ["llama-4-70b", "qwen-3-coder"]);
    this.keys = new KeyRing("sk-or-", stage.ids, stage.secrets);
  }

  override get baseUrl(): string {
    return `${this.origin}/v1`;
  }

  protected override authenticate(call: Call): Caller | Objection {
    return authenticateBearer(call, this.keys, this.requireKey);
  }

  protected override readRequest(call: Call, caller: Caller): ModelRequest | Objection {
    const request = super.readRequest(call, caller);
    if (isObjection(request) || this.historyRule === null) return request;
    return checkHistory(arrayOf(request.body.messages).map(fieldsOf), this.historyRule) ?? request;
  }

  protected override answerOther(): Reply {
    return jsonReply(200, modelList(this.models));
  }
}
