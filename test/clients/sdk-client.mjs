// One call by an SDK, as a program of its own: sdk-client.mjs WHICH URL KEY MODEL PROMPT. Prints the text, or the error and exits 1.
import { spawnSync } from "node:child_process";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

const [, , which, url, key, model, prompt, wantsTool] = process.argv;
const tool = {
  name: "shell",
  description: "Runs a command",
  parameters: { type: "object", properties: { command: { type: "string" } }, required: ["command"] },
};
const run = (input) => spawnSync("sh", ["-c", input.command], { encoding: "utf8" }).stdout;
const useTool = wantsTool === "tool";

const programs = {
  async "openai-responses"() {
    const client = new OpenAI({ apiKey: key, baseURL: `${url}/v1` });
    const input = [{ role: "user", content: prompt }];
    for (;;) {
      const stream = client.responses.stream({
        model,
        input,
        ...(useTool ? { tools: [{ type: "function", strict: false, ...tool }] } : {}),
      });
      const response = await stream.finalResponse();
      const calls = response.output.filter(({ type }) => type === "function_call");
      if (calls.length === 0) return response.output_text;
      for (const call of calls) {
        input.push({ type: "function_call", call_id: call.call_id, name: call.name, arguments: call.arguments });
        input.push({ type: "function_call_output", call_id: call.call_id, output: run(JSON.parse(call.arguments)) });
      }
    }
  },
  async "openai-chat"() {
    const client = new OpenAI({ apiKey: key, baseURL: `${url}/v1` });
    const messages = [{ role: "user", content: prompt }];
    for (;;) {
      const stream = client.chat.completions.stream({
        model,
        messages,
        ...(useTool ? { tools: [{ type: "function", function: tool }] } : {}),
      });
      const { choices } = await stream.finalChatCompletion();
      const { message } = choices[0];
      if (!message.tool_calls?.length) return message.content;
      messages.push({ role: "assistant", content: message.content, tool_calls: message.tool_calls });
      for (const call of message.tool_calls) {
        messages.push({ role: "tool", tool_call_id: call.id, content: run(JSON.parse(call.function.arguments)) });
      }
    }
  },
  async anthropic() {
    const client = new Anthropic({ apiKey: key, baseURL: url });
    const messages = [{ role: "user", content: prompt }];
    const { name, description, parameters } = tool;
    for (;;) {
      const stream = client.messages.stream({
        model,
        max_tokens: 8_000,
        messages,
        ...(useTool ? { tools: [{ name, description, input_schema: parameters }] } : {}),
      });
      const { content } = await stream.finalMessage();
      const calls = content.filter(({ type }) => type === "tool_use");
      if (calls.length === 0) return content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("");
      messages.push({ role: "assistant", content });
      messages.push({
        role: "user",
        content: calls.map(({ id, input }) => ({ type: "tool_result", tool_use_id: id, content: run(input) })),
      });
    }
  },
  async "ai-sdk"() {
    const { streamText, tool: defineTool, jsonSchema, stepCountIs } = await import("ai");
    const { createOpenAI } = await import("@ai-sdk/openai");
    let failure;
    const result = streamText({
      model: createOpenAI({ apiKey: key, baseURL: `${url}/v1` })(model),
      prompt,
      stopWhen: stepCountIs(5),
      onError: ({ error }) => (failure = error),
      ...(useTool
        ? {
            tools: {
              shell: defineTool({
                description: tool.description,
                inputSchema: jsonSchema(tool.parameters),
                execute: run,
              }),
            },
          }
        : {}),
    });
    let text = "";
    for await (const delta of result.textStream) text += delta;
    if (failure !== undefined) throw failure;
    return text;
  },
};

try {
  console.log(await programs[which]());
} catch (error) {
  console.log(`${error?.name}: ${error?.lastError?.message ?? error?.message}`);
  process.exitCode = 1;
}
