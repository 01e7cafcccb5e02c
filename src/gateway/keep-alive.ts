import type { IncomingHttpHeaders } from "node:http";
import type { ProtocolName } from "../core/target.ts";

const comment = ": keep-alive\n\n";

/**
 * A sign of life in the form that this client counts as one:
 *
 * - Codex counts parsed events and no comments, so it gets an event of a type it does not act on. It is known by its `x-codex-`
 *   headers. Everybody else who speaks Responses gets a comment: the official SDK's stream helper throws at any event before
 *   `response.created`.
 * - Messages: Anthropic's own `ping`.
 * - Chat Completions: a comment, as OpenRouter sends it. The format has no event that all clients pass over.
 */
export function keepAliveFor(dialect: ProtocolName, headers: IncomingHttpHeaders): string {
  switch (dialect) {
    case "messages":
      return 'event: ping\ndata: {"type":"ping"}\n\n';
    case "chat-completions":
      return comment;
    case "responses":
      return isCodex(headers) ? 'event: keepalive\ndata: {"type":"keepalive"}\n\n' : comment;
  }
}

function isCodex(headers: IncomingHttpHeaders): boolean {
  return Object.keys(headers).some((name) => name.startsWith("x-codex-"));
}
