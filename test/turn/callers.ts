import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import type { Message } from "../../src/protocols/canonical.ts";
import { resolveRoute } from "../../src/config/resolve-route.ts";
import { toTurnRequest } from "../../src/turn/turn-input.ts";
import { startTurn } from "../../src/turn/turn.ts";
import type { TestStage } from "../rig/stage.ts";
import { fetchOn, pixel, toolSchema } from "./crossing.ts";

/** A caller with a conversation: it says something, keeps the answer as such clients do, and answers its calls the next time. */
export interface Conversation {
  /** Says it on this route, with a picture if asked; resolves to the words of the answer. */
  say(words: string, route: string, options: { stream: boolean; picture: boolean }): Promise<string>;
}

type Item = OpenAI.Responses.ResponseInputItem;

const dataUrl = `data:image/png;base64,${pixel}`;
const reply = (call: string): string => `result of ${call}`;

/**
 * Over Responses. `keep` is what the client keeps of an item of the answer.
 */
function responses(stage: TestStage, extra: object, keep: (item: Item) => Item): Conversation {
  const openai = new OpenAI({
    apiKey: "unused",
    baseURL: "http://understudy/v1",
    fetch: fetchOn(stage),
    maxRetries: 0,
  });
  const input: Item[] = [];
  const tools = [{ type: "function" as const, name: "weather", parameters: toolSchema, strict: false }];
  return {
    async say(words, model, { stream, picture }) {
      const shown = picture ? [{ type: "input_image" as const, image_url: dataUrl, detail: "auto" as const }] : [];
      input.push({ role: "user", content: [{ type: "input_text", text: words }, ...shown] });
      const body = { ...extra, model, input, tools };
      const output: Item[] = [];
      if (stream) {
        for await (const event of await openai.responses.create({ ...body, stream: true })) {
          if (event.type === "response.output_item.done") output.push(event.item as Item);
        }
      } else {
        output.push(...((await openai.responses.create(body)).output as Item[]));
      }
      let text = "";
      for (const item of output) {
        input.push(keep(item));
        if (item.type !== "message") continue;
        for (const part of item.content) if (typeof part !== "string" && "text" in part) text += part.text;
      }
      for (const item of output) {
        if (item.type !== "function_call") continue;
        input.push({ type: "function_call_output", call_id: item.call_id, output: reply(item.arguments) });
      }
      return text;
    },
  };
}

/** Keeps items as they came, encrypted reasoning included. */
export function responsesWhole(stage: TestStage): Conversation {
  return responses(stage, { store: false, include: ["reasoning.encrypted_content"] }, (item) => item);
}

/** Keeps no ids, as Codex does. */
export function responsesLikeCodex(stage: TestStage): Conversation {
  return responses(stage, { store: false, include: ["reasoning.encrypted_content"] }, (item) => {
    const { id: _, ...rest } = item as Item & { id?: string };
    return rest as Item;
  });
}

/** Did not ask for encrypted reasoning and leaves the items with the provider. */
export function responsesStored(stage: TestStage): Conversation {
  return responses(stage, {}, (item) => {
    const { encrypted_content: _, ...rest } = item as Item & { encrypted_content?: string };
    return rest as Item;
  });
}

export function chatCompletions(stage: TestStage): Conversation {
  const openai = new OpenAI({
    apiKey: "unused",
    baseURL: "http://understudy/v1",
    fetch: fetchOn(stage),
    maxRetries: 0,
  });
  const messages: OpenAI.ChatCompletionMessageParam[] = [];
  const tools = [{ type: "function" as const, function: { name: "weather", parameters: toolSchema } }];
  return {
    async say(words, model, { stream, picture }) {
      const shown = picture ? [{ type: "image_url" as const, image_url: { url: dataUrl } }] : [];
      messages.push({ role: "user", content: [{ type: "text", text: words }, ...shown] });
      const body = { model, messages, tools };
      const { choices } = stream
        ? await openai.chat.completions.stream({ ...body, stream: true }).finalChatCompletion()
        : await openai.chat.completions.create(body);
      const message = choices[0]?.message;
      if (message === undefined) throw new Error("no answer");
      messages.push(message);
      for (const call of message.tool_calls ?? []) {
        if (call.type !== "function") continue;
        messages.push({ role: "tool", tool_call_id: call.id, content: reply(call.function.arguments) });
      }
      return message.content ?? "";
    },
  };
}

/** Over Messages, with thinking. */
function messages(stage: TestStage, thinking: Anthropic.ThinkingConfigParam): Conversation {
  const anthropic = new Anthropic({ apiKey: "unused", fetch: fetchOn(stage), maxRetries: 0 });
  const history: Anthropic.MessageParam[] = [];
  const tools = [{ name: "weather", input_schema: toolSchema as Anthropic.Tool.InputSchema }];
  let results: Anthropic.ToolResultBlockParam[] = [];
  return {
    async say(words, model, { stream, picture }) {
      const source = { type: "base64" as const, media_type: "image/png" as const, data: pixel };
      const shown = picture ? [{ type: "image" as const, source }] : [];
      history.push({ role: "user", content: [...results, { type: "text", text: words }, ...shown] });
      const body = { model, max_tokens: 8_000, thinking, messages: history, tools };
      const { content } = stream
        ? await anthropic.messages.stream(body).finalMessage()
        : await anthropic.messages.create(body);
      history.push({ role: "assistant", content: content as Anthropic.ContentBlockParam[] });
      results = content.flatMap((block): Anthropic.ToolResultBlockParam[] => {
        if (block.type !== "tool_use") return [];
        const said = { type: "text" as const, text: reply(JSON.stringify(block.input)) };
        return [{ type: "tool_result", tool_use_id: block.id, content: [said, { type: "image", source }] }];
      });
      return content.map((block) => (block.type === "text" ? block.text : "")).join("");
    },
  };
}

export function messagesWithBudget(stage: TestStage): Conversation {
  return messages(stage, { type: "enabled", budget_tokens: 2_000 });
}

export function messagesAdaptive(stage: TestStage): Conversation {
  return messages(stage, { type: "adaptive" });
}

/** The library itself, with a history in the neutral form. */
export function library(stage: TestStage): Conversation {
  const history: Message[] = [];
  const tools = [{ name: "weather", schema: toolSchema }];
  return {
    async say(said, route, { stream, picture }) {
      const shown = picture ? [{ type: "image" as const, url: dataUrl }] : [];
      history.push({ role: "user", content: [{ type: "text", text: said }, ...shown] });
      const turn = startTurn(stage.workspace.runtime, toTurnRequest({ messages: history, tools, stream }), {
        route: resolveRoute(stage.workspace.config, route),
      });
      const content: Extract<Message, { role: "assistant" }>["content"][number][] = [];
      let reasoning = "";
      let words = "";
      for await (const item of turn) {
        if (item.type !== "part") continue;
        const { part } = item;
        if (part.type === "reasoning-delta") reasoning += part.text;
        if (part.type === "reasoning-end") {
          content.push({ type: "reasoning", text: reasoning, ...(part.opaque && { opaque: part.opaque }) });
          reasoning = "";
        }
        if (part.type === "text-delta") words += part.text;
        if (part.type === "text-end") content.push({ type: "text", text: words });
        if (part.type === "tool-call") content.push(part);
      }
      const answer = await turn.answer;
      history.push({ role: "assistant", content });
      const results = answer.toolCalls.map(({ id, input }) => ({
        type: "tool-result" as const,
        id,
        isError: false,
        content: [{ type: "text" as const, text: reply(input) }],
      }));
      if (results.length > 0) history.push({ role: "tool", content: results });
      return answer.text;
    },
  };
}
