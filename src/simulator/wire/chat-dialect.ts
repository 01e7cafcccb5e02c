import { inStreamNames } from "../faults.ts";
import { sse } from "../reply.ts";
import { ChatAnswer } from "./chat-answer.ts";
import { chatRefusals } from "./chat-errors.ts";
import { readChatRequest } from "./chat-request.ts";
import type { Dialect } from "./dialect.ts";
import { openaiObjection } from "./openai-errors.ts";

/** Chat Completions, as OpenAI and most open servers speak it. */
export const chatDialect: Dialect = {
  read: (body) => readChatRequest(body),
  writer: (answer, context) => new ChatAnswer(answer, context),
  refusals: chatRefusals,
  inStream: inStreamNames.filter((name) => name !== "soft-failed-without-status" && name !== "soft-cancelled"),
  object: openaiObjection,
  endsWithDone: true,
  callIdPrefix: "call_",
  odd: {
    malformed: 'data: {"id":"chatcmpl-broken","object":"chat.completion.chunk","choices":[{"ind\n\n',
    unknown: sse({ object: "simulated.novelty", payload: {} }),
    huge: (size) => sse({ object: "simulated.huge", padding: "x".repeat(size) }),
    keepAlive: ": keep-alive\n\n",
  },
};
