import type { ProtocolName } from "../core/target.ts";

/**
 * A sign of life in the form that each dialect's clients count as one and otherwise pass over:
 *
 * - Responses: a data event of a type nobody acts on. Comments don't keep Codex alive: it counts parsed events only.
 * - Messages: Anthropic's own `ping`.
 * - Chat Completions: a comment, as OpenRouter sends it. The format has no event that all clients pass over.
 */
export const keepAlives: Readonly<Record<ProtocolName, string>> = {
  responses: 'event: keepalive\ndata: {"type":"keepalive"}\n\n',
  messages: 'event: ping\ndata: {"type":"ping"}\n\n',
  "chat-completions": ": keep-alive\n\n",
};
