/**
 * The neutral form between the three wire protocols. Its vocabulary follows the language model specification of the
 * AI SDK (text, reasoning, tool calls as start/delta/end blocks), so that both official SDKs and the AI SDK can be laid
 * beside it. What a protocol knows beyond it travels in `opaque`, stamped with who issued it.
 */
import type { Usage } from "../core/events.ts";
import type { ProtocolName } from "../core/target.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** Reasoning that only its issuer can read: encrypted items, signatures, redacted blocks. Never sent to another. */
export interface Opaque {
  readonly protocol: ProtocolName;
  /** The block as it was on the wire. */
  readonly data: JsonObject;
}

export interface TextContent {
  readonly type: "text";
  readonly text: string;
}
/** `url` is an https or a data URL. */
export interface ImageContent {
  readonly type: "image";
  readonly url: string;
}
/** `data` is base64. */
export interface FileContent {
  readonly type: "file";
  readonly mediaType: string;
  readonly data: string;
  readonly filename?: string;
}
export interface ReasoningContent {
  readonly type: "reasoning";
  readonly text: string;
  readonly opaque?: Opaque;
}
/** `input` is the JSON text of the arguments, as the model wrote it. */
export interface ToolCallContent {
  readonly type: "tool-call";
  readonly id: string;
  readonly name: string;
  readonly input: string;
}
export interface ToolResultContent {
  readonly type: "tool-result";
  readonly id: string;
  readonly isError: boolean;
  readonly content: readonly (TextContent | ImageContent)[];
}

export type Message =
  | { readonly role: "system"; readonly content: readonly TextContent[] }
  | { readonly role: "user"; readonly content: readonly (TextContent | ImageContent | FileContent)[] }
  | { readonly role: "assistant"; readonly content: readonly (TextContent | ReasoningContent | ToolCallContent)[] }
  | { readonly role: "tool"; readonly content: readonly ToolResultContent[] };

export interface Tool {
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of the input. */
  readonly schema: JsonObject;
  readonly strict?: boolean;
  /** How the caller's protocol declared it, when a schema can't say all of it: free text as input, a namespace. */
  readonly opaque?: Opaque;
}

export type ToolChoice = "auto" | "none" | "required" | { readonly name: string };

export interface CanonicalRequest {
  readonly messages: readonly Message[];
  readonly tools?: readonly Tool[];
  readonly toolChoice?: ToolChoice;
  readonly parallelToolCalls?: boolean;
  /** Tokens. */
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly stop?: readonly string[];
  /** `minimal` · `low` · `medium` · `high` · `xhigh`, or `none` to switch it off. */
  readonly reasoningEffort?: string;
  /** JSON output; with a schema if one is given. */
  readonly responseFormat?: { readonly name?: string; readonly schema?: JsonObject; readonly strict?: boolean };
  readonly stream: boolean;
}

export type FinishReason = "stop" | "length" | "tool-calls" | "content-filter" | "other";

/** One piece of an answer, in order. Blocks open with `-start`, close with `-end`, and do not overlap for one id. */
export type Part =
  | { readonly type: "response-start"; readonly id: string | null; readonly model: string | null }
  | { readonly type: "text-start"; readonly id: string }
  | { readonly type: "text-delta"; readonly id: string; readonly text: string }
  | { readonly type: "text-end"; readonly id: string }
  | { readonly type: "reasoning-start"; readonly id: string }
  | { readonly type: "reasoning-delta"; readonly id: string; readonly text: string }
  | { readonly type: "reasoning-end"; readonly id: string; readonly opaque?: Opaque }
  | { readonly type: "tool-input-start"; readonly id: string; readonly name: string }
  | { readonly type: "tool-input-delta"; readonly id: string; readonly delta: string }
  /** The whole call; follows its deltas. `input` is the JSON text. */
  | { readonly type: "tool-call"; readonly id: string; readonly name: string; readonly input: string }
  | { readonly type: "finish"; readonly reason: FinishReason; readonly usage: Usage | null };
