import { jsonReply, type Reply } from "../reply.ts";
import type { Call, Stage } from "../role.ts";
import type { Objection } from "../wire/dialect.ts";
import { createResponsesDialect } from "../wire/responses-dialect.ts";
import { Backend, type Caller } from "./backend.ts";
import { authenticateBearer, modelList } from "./openai-common.ts";
import { KeyRing } from "./key-ring.ts";

/** OpenAI's public API with keys: Responses, as a stream and not, and the list of models. */
export class OpenAiBackend extends Backend {
  readonly keys: KeyRing;
  protected override readonly modelCall = "POST /v1/responses";
  protected override readonly otherCalls = ["GET /v1/models"];

  constructor(stage: Stage) {
    super(stage, createResponsesDialect("openai"), ["gpt-5.5", "gpt-5.4-mini"]);
    this.keys = new KeyRing("sk-proj-", stage.ids, stage.secrets);
  }

  override get baseUrl(): string {
    return `${this.origin}/v1`;
  }

  protected override authenticate(call: Call): Caller | Objection {
    return authenticateBearer(call, this.keys, true);
  }

  protected override answerOther(): Reply {
    return jsonReply(200, modelList(this.models));
  }
}
