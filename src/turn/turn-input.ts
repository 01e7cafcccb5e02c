import type { ProtocolName } from "../core/target.ts";
import type { CanonicalRequest, Message, Tool, ToolChoice } from "../protocols/canonical.ts";
import type { TurnRequest } from "./request.ts";

/**
 * What a turn can be asked:
 * a prompt; a conversation in the neutral form; or the body of one wire protocol, which reaches a target of the same
 * protocol byte for byte.
 */
export type TurnInput = string | ConversationInput | WireInput;

/** A conversation. Answers stream unless `stream` is false. */
export interface ConversationInput {
  readonly messages: readonly Message[];
  readonly system?: string;
  readonly tools?: readonly Tool[];
  readonly toolChoice?: ToolChoice;
  /** Tokens. */
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
  readonly reasoningEffort?: string;
  readonly responseFormat?: CanonicalRequest["responseFormat"];
  readonly stream?: boolean;
}

export interface WireInput {
  readonly protocol: ProtocolName;
  /** The request's body as JSON text, or as an object. */
  readonly body: string | Readonly<Record<string, unknown>>;
}

/** Brings any input into the form that a turn runs on. */
export function toTurnRequest(input: TurnInput): TurnRequest {
  if (typeof input === "string") return conversation({ messages: [userMessage(input)] });
  if ("messages" in input) return conversation(input);
  const body = typeof input.body === "string" ? input.body : JSON.stringify(input.body);
  // A body that can't be read is refused by the turn, as any other wrong request.
  return { dialect: input.protocol, body, stream: asksForStream(body) };
}

function conversation({ system, messages, stream = true, ...rest }: ConversationInput): TurnRequest {
  const head: Message[] = system === undefined ? [] : [{ role: "system", content: [{ type: "text", text: system }] }];
  return { dialect: "canonical", request: { ...rest, messages: [...head, ...messages], stream } };
}

function asksForStream(body: string): boolean {
  try {
    return (JSON.parse(body) as { stream?: unknown } | null)?.stream === true;
  } catch {
    return false;
  }
}

/** A message of the person. */
export function userMessage(text: string): Message {
  return { role: "user", content: [{ type: "text", text }] };
}
