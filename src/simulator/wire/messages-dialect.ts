import { inStreamNames } from "../faults.ts";
import { sse } from "../reply.ts";
import type { Dialect } from "./dialect.ts";
import { MessagesAnswer } from "./messages-answer.ts";
import { messagesObjection, messagesRefusals } from "./messages-errors.ts";
import { readMessagesRequest } from "./messages-request.ts";

/** Anthropic's Messages API. */
export const messagesDialect: Dialect = {
  read: (body) => readMessagesRequest(body),
  writer: (answer, context) => new MessagesAnswer(answer, context),
  refusals: messagesRefusals,
  inStream: inStreamNames.filter((name) => name !== "soft-failed-without-status" && name !== "soft-cancelled"),
  object: messagesObjection,
  endsWithDone: false,
  callIdPrefix: "toolu_",
  odd: {
    malformed: 'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_de\n\n',
    unknown: sse({ type: "simulated_novelty", payload: {} }, "simulated_novelty"),
    huge: (size) => sse({ type: "simulated_huge", padding: "x".repeat(size) }, "simulated_huge"),
    keepAlive: sse({ type: "ping" }, "ping"),
  },
};
