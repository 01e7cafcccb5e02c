export type { ConfigInput } from "./config/schema.ts";
export type { Clock } from "./core/clock.ts";
export type { Cooldown } from "./core/cooldown.ts";
export type { Decision } from "./core/decide.ts";
export { type ErrorCode, type ErrorFacts, isUnderstudyError, UnderstudyError } from "./core/error.ts";
export type {
  AttemptRecord,
  Candidate,
  Cost,
  CredentialName,
  TurnEvent,
  TurnOutcome,
  TurnRecord,
  Usage,
} from "./core/events.ts";
export type { Failure, Next, Reason, Scope } from "./core/failure.ts";
export type { ProtocolName, Route, Target } from "./core/target.ts";
export type { Transport, TransportRequest, TransportResponse } from "./core/transport.ts";
export type { Store } from "./credentials/store.ts";
export type { FinishReason, Json, JsonObject, Message, Part, Tool, ToolChoice } from "./protocols/canonical.ts";
export type { ConversationInput, TurnInput, WireInput } from "./turn/turn-input.ts";
export type { Answer, ToolCall, Turn, TurnItem } from "./turn/turn.ts";
export type { TurnFetch } from "./turn/turn-fetch.ts";
export { createUnderstudy, type TurnCallOptions, type Understudy, type UnderstudyOptions } from "./understudy.ts";
