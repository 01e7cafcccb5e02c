import { expect, it } from "vitest";
import { protocolNames } from "../../src/core/target.ts";
import type { ProtocolName } from "../../src/core/target.ts";
import { protocols } from "../../src/protocols/index.ts";
import { describeProtocol, type ProtocolSamples } from "../contract/protocol.ts";

function named(type: string, fields: object = {}): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

function chunk(delta: object, finishReason: string | null = null): string {
  return `data: ${JSON.stringify({ id: "c", choices: [{ index: 0, delta, finish_reason: finishReason }] })}\n\n`;
}

const samples: Record<ProtocolName, ProtocolSamples> = {
  messages: {
    preamble:
      named("message_start", { message: { id: "m", model: "x", usage: { input_tokens: 1 } } }) +
      named("ping") +
      named("content_block_start", { index: 0, content_block: { type: "thinking", thinking: "" } }) +
      named("content_block_delta", { index: 0, delta: { type: "thinking_delta", thinking: "hm" } }) +
      named("content_block_delta", { index: 0, delta: { type: "signature_delta", signature: "c2ln" } }) +
      named("content_block_stop", { index: 0 }) +
      named("content_block_start", { index: 1, content_block: { type: "text", text: "" } }),
    content: [
      named("content_block_delta", { index: 1, delta: { type: "text_delta", text: "hi" } }),
      named("content_block_start", { index: 2, content_block: { type: "tool_use", id: "t", name: "f", input: {} } }),
      named("content_block_delta", { index: 2, delta: { type: "input_json_delta", partial_json: "{}" } }),
      named("content_block_start", { index: 3, content_block: { type: "web_search_tool_result", content: [] } }),
    ],
    end: named("message_delta", { delta: { stop_reason: "end_turn" } }) + named("message_stop"),
    error: named("error", { error: { type: "overloaded_error", message: "Overloaded" } }),
    errorIn200: { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
    noAnswers: [{}, { content: null }, null, [], "hi", 7],
    issuersRequest: {
      messages: [
        { role: "user", content: "hi" },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "", signature: "c2ln" },
            { type: "text", text: "a" },
          ],
        },
      ],
    },
  },
  "chat-completions": {
    preamble:
      chunk({ role: "assistant", content: "" }) +
      chunk({ reasoning_content: "hm" }) +
      chunk({ reasoning: "hm" }) +
      chunk({}),
    content: [
      chunk({ content: "hi" }),
      chunk({ refusal: "no" }),
      chunk({ tool_calls: [{ index: 0, id: "a", function: { name: "f", arguments: "" } }] }),
      chunk({ function_call: { name: "f", arguments: "" } }),
    ],
    end: chunk({}, "stop") + "data: [DONE]\n\n",
    error: 'data: {"error":{"code":429,"message":"busy"}}\n\n',
    errorIn200: { error: { code: 502, message: "Provider returned error" } },
    noAnswers: [{}, { choices: [] }, { choices: [{}] }, null, [], "hi", 7],
    issuersRequest: {
      messages: [
        { role: "user", content: "hi" },
        {
          role: "assistant",
          content: "a",
          reasoning_content: "hm",
          reasoning_details: [{ type: "reasoning.encrypted" }],
        },
      ],
    },
  },
  responses: {
    preamble:
      named("response.created", { response: { id: "r", status: "in_progress", output: [] } }) +
      named("response.in_progress", { response: { id: "r", status: "in_progress" } }) +
      named("response.output_item.added", { output_index: 0, item: { type: "reasoning", id: "rs_1", summary: [] } }) +
      named("response.reasoning_summary_text.delta", { output_index: 0, summary_index: 0, delta: "hm" }) +
      named("response.output_item.added", { output_index: 1, item: { type: "message", id: "msg_1", content: [] } }),
    content: [
      named("response.output_text.delta", { output_index: 1, content_index: 0, delta: "hi" }),
      named("response.refusal.delta", { output_index: 1, content_index: 0, delta: "no" }),
      named("response.output_item.added", {
        output_index: 2,
        item: { type: "function_call", id: "fc_1", call_id: "call_1", name: "f", arguments: "" },
      }),
      named("response.function_call_arguments.delta", { output_index: 2, item_id: "fc_1", delta: "{}" }),
    ],
    end: named("response.completed", { response: { id: "r", status: "completed", output: [] } }),
    error: named("response.failed", {
      response: { id: "r", status: "failed", error: { code: "server_is_overloaded", message: "busy" } },
    }),
    errorIn200: { id: "r", object: "response", status: "failed", output: [], error: { code: "x", message: "broken" } },
    noAnswers: [{}, null, [], "hi", 7],
    issuersRequest: {
      input: [
        { type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] },
        { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "gAAA" },
        { type: "message", role: "assistant", content: [{ type: "output_text", text: "a" }] },
      ],
    },
  },
};

it("every protocol is listed under its own name", () => {
  expect(Object.entries(protocols).map(([name, protocol]) => [name, protocol.name])).toEqual(
    Object.keys(protocols).map((name) => [name, name]),
  );
  expect(Object.keys(protocols).sort()).toEqual([...protocolNames].sort());
});

for (const name of protocolNames) describeProtocol(protocols[name], samples[name]);
