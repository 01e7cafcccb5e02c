import type { ProtocolName } from "../../src/core/target.ts";
import type { BackendName } from "../../src/testing.ts";

/** Who is asked first in a cell: a wire protocol with one way to sign in. */
export interface Subject {
  readonly id: string;
  /** What the caller speaks, and the primary too. */
  readonly dialect: ProtocolName;
  readonly auth: "key" | "oauth";
  readonly provider: string;
  readonly backend: BackendName;
  /** The upstream answers as a stream even to a caller who wants none. */
  readonly alwaysStreams: boolean;
  /** The primary and, behind it, the two other protocols: every switch to them is a translation. */
  readonly targets: readonly [string, string, string];
}

const openai = "openai/gpt-5.5";
const codex = "codex/gpt-5.5";
const anthropic = "anthropic/claude-opus-4-8";
const local = "local/qwen3";

export const subjects: readonly Subject[] = [
  {
    id: "responses-key",
    dialect: "responses",
    auth: "key",
    provider: "openai",
    backend: "openai",
    alwaysStreams: false,
    targets: [openai, anthropic, local],
  },
  {
    id: "responses-oauth",
    dialect: "responses",
    auth: "oauth",
    provider: "codex",
    backend: "codex",
    alwaysStreams: true,
    targets: [codex, anthropic, local],
  },
  {
    id: "chat-key",
    dialect: "chat-completions",
    auth: "key",
    provider: "local",
    backend: "chat",
    alwaysStreams: false,
    targets: [local, openai, anthropic],
  },
  {
    id: "messages-key",
    dialect: "messages",
    auth: "key",
    provider: "anthropic",
    backend: "messages",
    alwaysStreams: false,
    targets: [anthropic, local, openai],
  },
];

/** The providers that a target names, and the simulator's role behind each. */
export const backendOf: Readonly<Record<string, BackendName>> = {
  openai: "openai",
  codex: "codex",
  anthropic: "messages",
  local: "chat",
};

const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const name = "weather";

/** A model call of this dialect: one prompt, one tool. */
export function requestOf(dialect: ProtocolName, model: string, prompt: string, stream: boolean): object {
  const messages = [{ role: "user", content: prompt }];
  switch (dialect) {
    case "responses":
      return { model, stream, input: messages, tools: [{ type: "function", name, parameters: schema, strict: false }] };
    case "chat-completions": {
      const usage = stream ? { stream_options: { include_usage: true } } : {};
      return {
        model,
        stream,
        ...usage,
        messages,
        tools: [{ type: "function", function: { name, parameters: schema } }],
      };
    }
    case "messages":
      return { model, stream, max_tokens: 1_000, messages, tools: [{ name, input_schema: schema }] };
  }
}

/** Where a call of this dialect is sent. */
export const pathOf: Readonly<Record<ProtocolName, string>> = {
  responses: "/v1/responses",
  "chat-completions": "/v1/chat/completions",
  messages: "/v1/messages",
};
