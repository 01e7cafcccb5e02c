import type { ProtocolName } from "../core/target.ts";
import { chatCompletions } from "./chat-completions/index.ts";
import { messages } from "./messages/index.ts";
import type { Protocol } from "./protocol.ts";
import { responses } from "./responses/index.ts";

/** Every wire protocol, by its name. */
export const protocols: Record<ProtocolName, Protocol> = {
  responses,
  "chat-completions": chatCompletions,
  messages,
};
