import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import type { ProtocolName } from "../../src/core/target.ts";
import { classifyFailure } from "../../src/failures/classify.ts";
import { protocols } from "../../src/protocols/index.ts";
import { alikeEvents, learnShape } from "../../src/protocols/alike-events.ts";
import { SseParser } from "../../src/protocols/sse.ts";
import { AnswerStream } from "../../src/turn/answer-stream.ts";
import { defaultLimits } from "../../src/turn/limits.ts";
import { Watchdog } from "../../src/turn/watchdog.ts";

const named = (type: string, data: object = {}): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
const plain = (data: object): string => `data: ${JSON.stringify(data)}\n\n`;
const chunk = (delta: object, more: object = {}, finish: string | null = null): string =>
  plain({ id: "c", object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason: finish }], ...more });

/** Events of each protocol: those that come by the hundred, and each kind that is none of them though it may look like one. */
const events: Readonly<Record<ProtocolName, readonly string[]>> = {
  responses: [
    named("response.created", { response: { id: "r", status: "in_progress" } }),
    ...Array.from({ length: 4 }, (_, i) =>
      named("response.output_text.delta", { item_id: "m", delta: `"error"\n\n${i}` }),
    ),
    plain({ type: "response.output_text.delta", item_id: "m", delta: "no name" }),
    named("response.function_call_arguments.delta", { item_id: "f", delta: '{"a":1}' }),
    'event: response.output_text.delta\ndata: {"type":"response.output_text.delta",\ndata: "delta":"two lines"}\n\n',
    'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"broken\n\n',
    'event: response.output_text.delta\r\ndata: {"type":"response.output_text.delta","delta":"other line ends"}\r\n\r\n',
    ": keep-alive\n\n",
    named("response.output_item.done", {
      item: { type: "reasoning", id: "rs_1", encrypted_content: "0123456789abcdef" },
    }),
    named("response.completed", {
      response: { id: "r", status: "completed", output: [], usage: { input_tokens: 1, output_tokens: 2 } },
    }),
    named("response.failed", { response: { status: "failed", error: { code: "server_error", message: "no" } } }),
    named("error", { error: { code: "x", message: "y" } }),
  ],
  messages: [
    named("message_start", { message: { usage: { input_tokens: 3 } } }),
    ...Array.from({ length: 4 }, (_, i) =>
      named("content_block_delta", { index: 0, delta: { type: "text_delta", text: `}}\n${i}` } }),
    ),
    named("content_block_delta", { index: 1, delta: { type: "input_json_delta", partial_json: '{"a"' } }),
    named("content_block_delta", { index: 2, delta: { type: "signature_delta", signature: "0123456789abcdef" } }),
    'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"cut\n\n',
    named("ping"),
    named("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 7 } }),
    named("message_stop"),
    named("error", { error: { type: "overloaded_error", message: "no" } }),
  ],
  "chat-completions": [
    chunk({ role: "assistant" }),
    ...Array.from({ length: 4 }, (_, i) => chunk({ content: `"finish_reason":"stop" "error" ${i}` })),
    chunk({ tool_calls: [{ index: 0, id: "t", function: { name: "f", arguments: '"usage":{' } }] }),
    chunk({}, {}, "stop"),
    chunk({ content: "x" }, { usage: { prompt_tokens: 1, completion_tokens: 2 } }),
    chunk({ content: "x" }, { error: { message: "no" } }),
    plain({ choices: [{ index: 1, delta: { content: "second" }, finish_reason: null }] }),
    'data: {"id":"c","choices":[{"index":0,"delta":{"content":"bro\n\n',
    'data: {"id":"c","choices":[{"index":0,"delta":{"content":"y"},"finish_reason": "stop"}]}\n\n',
    'data: {"id":"c","choices":[{"index":0,"delta":{"content":"y"}}],"usage": {"prompt_tokens":1}}\n\n',
    'data: {"id":"c","choices":[{"index":0,"delta":{}},{"index":2,"delta":{}}]}\n\n',
    "data: [DONE]\n\n",
  ],
};

async function readBy(protocol: ProtocolName, chunks: readonly Uint8Array[], needsEvents: boolean): Promise<unknown> {
  async function* body(): AsyncGenerator<Uint8Array> {
    yield* chunks;
  }
  const stream = new AnswerStream({
    body: body(),
    reader: protocols[protocol].createStreamReader(),
    watchdog: new Watchdog(systemClock, () => {}),
    now: () => 0,
    limits: { ...defaultLimits, holdEvents: 3 },
    classify: (evidence) => classifyFailure({ protocol, ...evidence }, { now: 0 }),
    isCancelled: () => false,
    needsEvents,
  });
  const failure = await stream.hold(false);
  if (failure !== null) {
    await stream.close();
    return { failure };
  }
  let bytes = "";
  const seen: unknown[] = [];
  for await (const batch of stream.rest()) {
    bytes += Buffer.from(batch.bytes).toString();
    seen.push(...batch.events);
  }
  // Where something is left out, line ends and comments may be written anew.
  return { told: new SseParser().push(Buffer.from(bytes)), seen, end: stream.end };
}

describe("a stream that is only passed on", () => {
  it.each(Object.keys(events) as ProtocolName[])(
    "is, of %s, what a stream is whose every event is read",
    async (protocol) => {
      let answered = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.nat(events[protocol].length - 1), { minLength: 1, maxLength: 14 }),
          fc.array(fc.nat(1_500), { maxLength: 4 }),
          fc.boolean(),
          async (picked, cuts, endsInside) => {
            const all = Buffer.from(picked.map((index) => events[protocol][index]).join(""));
            const whole = endsInside ? all.subarray(0, all.length - 2) : all;
            const at = [0, ...cuts.map((cut) => Math.min(cut, whole.length)).sort((a, b) => a - b), whole.length];
            const chunks = at.slice(1).map((end, i) => whole.subarray(at[i], end));
            const read = (await readBy(protocol, chunks, true)) as { end?: { kind: string } };
            expect(await readBy(protocol, chunks, false)).toEqual(read);
            if (read.end?.kind === "complete") answered += 1;
          },
        ),
        { numRuns: 250 },
      );
      expect(answered).toBeGreaterThan(10);
    },
  );

  it("takes a delta of many megabytes as any other, and learns nothing from it", async () => {
    const [head = ""] = events["chat-completions"];
    const all = Buffer.from(
      `${head}${chunk({ content: "x" })}${chunk({ content: "x".repeat(9_000_000) })}data: [DONE]\n\n`,
    );
    const read = await readBy("chat-completions", [all], true);
    expect(await readBy("chat-completions", [all], false)).toEqual(read);
  });

  it("does not parse what is only more of the same", () => {
    const alike = alikeEvents();
    if (alike === null) throw new Error("this machine has no WebAssembly with SIMD");
    for (const protocol of Object.keys(events) as ProtocolName[]) {
      const reader = protocols[protocol].createStreamReader();
      const [head = "", delta = ""] = events[protocol];
      const dataOf = (text: string): string => /^data: (.*)$/m.exec(text)?.[1] ?? "";
      expect(reader.shapeOfMore?.(delta)).toBeNull();
      reader.read({ event: null, data: dataOf(head) });
      reader.read({ event: null, data: dataOf(delta) });
      const shape = reader.shapeOfMore?.(delta);
      if (shape == null) throw new Error(`the delta of ${protocol} has no shape`);
      const bytes = Buffer.from(delta.repeat(3) + head);
      alike.lookInto(bytes);
      expect(alike.endOfAll(learnShape(shape), 0), protocol).toBe(3 * Buffer.byteLength(delta));
    }
  });
});
