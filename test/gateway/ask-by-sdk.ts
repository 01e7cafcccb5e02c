import type Anthropic from "@anthropic-ai/sdk";
import type OpenAI from "openai";
import type { DialectCase, GatewayRig } from "./rig.ts";

/** What an official SDK made of an answer, whatever its dialect. */
export interface Heard {
  readonly text: string;
  readonly calls: readonly { readonly name: string; readonly input: unknown }[];
  readonly finish: "stop" | "tool-calls" | "length" | "other";
  /** Tokens, each counted once. */
  readonly usage: { readonly input: number; readonly output: number };
}

/** One exchange so far: what the person said, and what tools said to calls. */
export interface Said {
  readonly model: string;
  readonly system?: string;
  readonly turns: readonly SaidTurn[];
  readonly tools?: readonly { readonly name: string; readonly schema: Record<string, unknown> }[];
  readonly stream: boolean;
}

export type SaidTurn =
  | { readonly by: "person"; readonly text: string }
  | { readonly by: "model"; readonly text: string }
  | {
      readonly by: "tool";
      readonly id: string;
      readonly name: string;
      readonly input: unknown;
      readonly result: string;
    };

export function askBySdk(rig: GatewayRig, dialect: DialectCase["name"], said: Said): Promise<Heard> {
  switch (dialect) {
    case "responses":
      return askResponses(rig.openai, said);
    case "chat-completions":
      return askChat(rig.openai, said);
    case "messages":
      return askMessages(rig.anthropic, said);
  }
}

async function askResponses(client: OpenAI, { model, system, turns, tools, stream }: Said): Promise<Heard> {
  const params: OpenAI.Responses.ResponseCreateParamsNonStreaming = {
    model,
    ...(system === undefined ? {} : { instructions: system }),
    input: turns.flatMap((turn): OpenAI.Responses.ResponseInputItem[] => {
      if (turn.by === "person") return [{ role: "user", content: turn.text }];
      if (turn.by === "model") return [{ role: "assistant", content: turn.text }];
      const { id, name, input, result } = turn;
      return [
        { type: "function_call", call_id: id, name, arguments: JSON.stringify(input) },
        { type: "function_call_output", call_id: id, output: result },
      ];
    }),
    ...(tools === undefined
      ? {}
      : { tools: tools.map(({ name, schema }) => ({ type: "function", name, parameters: schema, strict: false })) }),
  };
  const answer = stream
    ? await client.responses.stream({ ...params, stream: true }).finalResponse()
    : await client.responses.create(params);
  const calls = answer.output.flatMap((item) =>
    item.type === "function_call" ? [{ name: item.name, input: JSON.parse(item.arguments) as unknown }] : [],
  );
  const cut = answer.incomplete_details?.reason === "max_output_tokens";
  return {
    text: answer.output_text,
    calls,
    finish: cut ? "length" : calls.length > 0 ? "tool-calls" : "stop",
    usage: { input: answer.usage?.input_tokens ?? -1, output: answer.usage?.output_tokens ?? -1 },
  };
}

async function askChat(client: OpenAI, { model, system, turns, tools, stream }: Said): Promise<Heard> {
  const params: OpenAI.Chat.ChatCompletionCreateParamsNonStreaming = {
    model,
    messages: [
      ...(system === undefined ? [] : [{ role: "system" as const, content: system }]),
      ...turns.flatMap((turn): OpenAI.Chat.ChatCompletionMessageParam[] => {
        if (turn.by === "person") return [{ role: "user", content: turn.text }];
        if (turn.by === "model") return [{ role: "assistant", content: turn.text }];
        const { id, name, input, result } = turn;
        const call = { id, type: "function" as const, function: { name, arguments: JSON.stringify(input) } };
        return [
          { role: "assistant", content: null, tool_calls: [call] },
          { role: "tool", tool_call_id: id, content: result },
        ];
      }),
    ],
    ...(tools === undefined
      ? {}
      : { tools: tools.map(({ name, schema }) => ({ type: "function", function: { name, parameters: schema } })) }),
  };
  const answer = stream
    ? await client.chat.completions
        .stream({ ...params, stream: true, stream_options: { include_usage: true } })
        .finalChatCompletion()
    : await client.chat.completions.create(params);
  const [choice] = answer.choices;
  const reasons = { stop: "stop", tool_calls: "tool-calls", length: "length" } as const;
  return {
    text: choice?.message.content ?? "",
    calls: (choice?.message.tool_calls ?? []).flatMap((call) =>
      call.type === "function"
        ? [{ name: call.function.name, input: JSON.parse(call.function.arguments) as unknown }]
        : [],
    ),
    finish: reasons[choice?.finish_reason as keyof typeof reasons] ?? "other",
    usage: { input: answer.usage?.prompt_tokens ?? -1, output: answer.usage?.completion_tokens ?? -1 },
  };
}

async function askMessages(client: Anthropic, { model, system, turns, tools, stream }: Said): Promise<Heard> {
  const params: Anthropic.MessageCreateParamsNonStreaming = {
    model,
    max_tokens: 5_000,
    ...(system === undefined ? {} : { system }),
    messages: turns.flatMap((turn): Anthropic.MessageParam[] => {
      if (turn.by === "person") return [{ role: "user", content: turn.text }];
      if (turn.by === "model") return [{ role: "assistant", content: turn.text }];
      const { id, name, input, result } = turn;
      return [
        { role: "assistant", content: [{ type: "tool_use", id, name, input }] },
        { role: "user", content: [{ type: "tool_result", tool_use_id: id, content: result }] },
      ];
    }),
    ...(tools === undefined
      ? {}
      : { tools: tools.map(({ name, schema }) => ({ name, input_schema: { type: "object" as const, ...schema } })) }),
  };
  const answer = stream ? await client.messages.stream(params).finalMessage() : await client.messages.create(params);
  const reasons = { end_turn: "stop", tool_use: "tool-calls", max_tokens: "length" } as const;
  const { usage } = answer;
  return {
    text: answer.content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join(""),
    calls: answer.content.flatMap((block) =>
      block.type === "tool_use" ? [{ name: block.name, input: block.input }] : [],
    ),
    finish: reasons[answer.stop_reason as keyof typeof reasons] ?? "other",
    usage: {
      input: usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0),
      output: usage.output_tokens,
    },
  };
}
