import { describe, expect, it } from "vitest";
import type { JsonObject, Part } from "../../../src/protocols/canonical.ts";
import { responses } from "../../../src/protocols/responses/index.ts";
import { type SseEvent, SseParser } from "../../../src/protocols/sse.ts";
import {
  callItem,
  completed,
  created,
  customItem,
  messageItem,
  reasoningItem,
  sse,
  streams,
  usage,
  wire,
} from "./streams.ts";

function decode(events: readonly (JsonObject | string)[]): Part[] {
  const decoder = responses.createStreamDecoder();
  return events.flatMap((event) => decoder.decode(sse(event)));
}

/** Deltas of one block joined, so that only what is said counts and not in how many pieces. */
function joined(parts: readonly Part[]): Part[] {
  const result: Part[] = [];
  for (const part of parts) {
    const last = result.at(-1);
    if (part.type === "text-delta" && last?.type === part.type && last.id === part.id) {
      result[result.length - 1] = { ...last, text: last.text + part.text };
    } else if (part.type === "reasoning-delta" && last?.type === part.type && last.id === part.id) {
      result[result.length - 1] = { ...last, text: last.text + part.text };
    } else if (part.type === "tool-input-delta" && last?.type === part.type && last.id === part.id) {
      result[result.length - 1] = { ...last, delta: last.delta + part.delta };
    } else result.push(part);
  }
  return result;
}

/** The fields of an event that the tests below alter. */
type AnyEvent = JsonObject & { item?: JsonObject; response?: { output?: JsonObject[] } };

const start: Part = { type: "response-start", id: "resp_1", model: "gpt-5.5" };
const finish = (reason: "stop" | "tool-calls" | "length"): Part => ({
  type: "finish",
  reason,
  usage: { input: 120, output: 30, cachedInput: 100, reasoning: 12 },
});
const wrapped = JSON.stringify({ input: customItem["input"] });

const fullAnswer: Part[] = [
  start,
  { type: "reasoning-start", id: "reasoning-0" },
  { type: "reasoning-delta", id: "reasoning-0", text: "Look first.\n\nThen leap." },
  { type: "reasoning-end", id: "reasoning-0", opaque: { protocol: "responses", data: reasoningItem } },
  { type: "text-start", id: "text-1-0" },
  { type: "text-delta", id: "text-1-0", text: "Grüße, 世界 🎭" },
  { type: "text-end", id: "text-1-0" },
  { type: "tool-input-start", id: "call_1", name: "exec_command" },
  { type: "tool-input-delta", id: "call_1", delta: '{"cmd":"ls \\"é\\""}' },
  { type: "tool-call", id: "call_1", name: "exec_command", input: '{"cmd":"ls \\"é\\""}' },
  { type: "tool-input-start", id: "call_2", name: "apply_patch" },
  { type: "tool-input-delta", id: "call_2", delta: wrapped },
  { type: "tool-call", id: "call_2", name: "apply_patch", input: wrapped },
  finish("tool-calls"),
];

const complete = Object.entries(streams).filter(([name]) => !/failed|cut/.test(name));

describe("the stream decoder", () => {
  it.each(complete)("tells the whole answer once: %s", (_name, events) => {
    expect(joined(decode(events))).toEqual(fullAnswer);
  });

  it("streams: each delta is given when it comes", () => {
    const parts = decode(streams["full"] ?? []);
    expect(parts.filter((part) => part.type === "text-delta").map((part) => part.text)).toEqual(["Grüße, ", "世界 🎭"]);
    expect(parts.filter((part) => part.type === "tool-input-delta").map((part) => part.delta)).toEqual([
      '{"cmd":',
      '"ls \\"é\\""}',
      '{"input":"*** Begin Patch\\n+ \\"',
      'Ü\\"\\n*** End Patch',
      '"}',
    ]);
  });

  it("gives every item a new id in each event, as some backends do, and still tells it once", () => {
    let next = 0;
    const events = (streams["full"] ?? []).map((event) => {
      const text = JSON.stringify(event).replaceAll(/"(rs|msg|fc|ctc)_1"/g, () => `"other_${next++}"`);
      return JSON.parse(text) as JsonObject;
    });
    const parts = joined(decode(events)).map((part) => ("opaque" in part ? { ...part, opaque: null } : part));
    expect(parts).toEqual(fullAnswer.map((part) => ("opaque" in part ? { ...part, opaque: null } : part)));
  });

  it.each([
    { ids: false, place: "kept" },
    { ids: true, place: "always 0" },
    { ids: true, place: "left out" },
    { ids: false, place: "always 0" },
    { ids: false, place: "left out" },
  ])("follows events with ids: $ids, output_index: $place", ({ ids, place }) => {
    const events = (streams["full"] ?? []).map((event): JsonObject => {
      const altered = structuredClone(event) as AnyEvent;
      if (place === "left out") delete altered["output_index"];
      else if (place === "always 0" && "output_index" in altered) altered["output_index"] = 0;
      if (!ids) {
        delete altered["item_id"];
        for (const item of [altered.item, ...(altered.response?.output ?? [])]) delete item?.["id"];
      }
      return altered;
    });
    const parts = joined(decode(events)).map((part) => ("opaque" in part ? { ...part, opaque: null } : part));
    expect(parts).toEqual(fullAnswer.map((part) => ("opaque" in part ? { ...part, opaque: null } : part)));
  });

  it("tells calls apart that grow at the same time, also without places", () => {
    const item = (id: string): JsonObject => ({ ...callItem, id: `fc_${id}`, call_id: `call_${id}`, arguments: "" });
    const grow = (id: string, delta: string): JsonObject => ({
      type: "response.function_call_arguments.delta",
      item_id: `fc_${id}`,
      delta,
    });
    const parts = decode([
      { type: "response.output_item.added", item: item("a") },
      { type: "response.output_item.added", item: item("b") },
      grow("a", "[1"),
      grow("b", "[2"),
      grow("a", "]"),
      grow("b", "]"),
      { type: "response.output_item.done", item: { ...item("a"), arguments: "[1]" } },
      { type: "response.output_item.done", item: { ...item("b"), arguments: "[2]" } },
      completed(null),
    ]);
    const name = "exec_command";
    expect(parts.filter((part) => part.type === "tool-input-delta").map(({ id, delta }) => id + delta)).toEqual([
      "call_a[1",
      "call_b[2",
      "call_a]",
      "call_b]",
    ]);
    expect(parts.filter((part) => part.type === "tool-call")).toEqual([
      { type: "tool-call", id: "call_a", name, input: "[1]" },
      { type: "tool-call", id: "call_b", name, input: "[2]" },
    ]);
  });

  it("gives a refusal as text", () => {
    const item = { id: "msg_1", type: "message", content: [{ type: "refusal", refusal: "I won't." }] };
    expect(
      joined(
        decode([
          created,
          { type: "response.refusal.delta", item_id: "msg_1", output_index: 0, content_index: 0, delta: "I " },
          { type: "response.refusal.delta", item_id: "msg_1", output_index: 0, content_index: 0, delta: "won't." },
          { type: "response.refusal.done", item_id: "msg_1", output_index: 0, content_index: 0, refusal: "I won't." },
          { type: "response.output_item.done", output_index: 0, item },
          completed([item]),
        ]),
      ),
    ).toEqual([
      start,
      { type: "text-start", id: "text-0-0" },
      { type: "text-delta", id: "text-0-0", text: "I won't." },
      { type: "text-end", id: "text-0-0" },
      finish("stop"),
    ]);
  });

  it("adds what the deltas left out and ignores another wording", () => {
    const delta = (text: string): JsonObject => ({
      type: "response.output_text.delta",
      output_index: 0,
      content_index: 0,
      delta: text,
    });
    const done = (text: string): JsonObject => ({
      type: "response.output_item.done",
      output_index: 0,
      item: { type: "message", content: [{ type: "output_text", text }] },
    });
    const text = (events: JsonObject[]): string =>
      decode(events)
        .map((part) => (part.type === "text-delta" ? part.text : ""))
        .join("");
    expect(text([delta("Hel"), done("Hello"), completed(null)])).toBe("Hello");
    expect(text([delta("Hel"), done("Bonjour"), completed(null)])).toBe("Hel");
  });

  it("gives the full text of open models' reasoning, and never both that and its summary", () => {
    const item = { id: "rs_1", type: "reasoning", summary: [], content: [{ type: "reasoning_text", text: "raw" }] };
    const parts = decode([
      created,
      { type: "response.reasoning_text.delta", item_id: "rs_1", output_index: 0, content_index: 0, delta: "raw" },
      {
        type: "response.reasoning_summary_text.delta",
        item_id: "rs_1",
        output_index: 0,
        summary_index: 0,
        delta: "short",
      },
      { type: "response.output_item.done", output_index: 0, item },
      completed(null),
    ]);
    expect(parts.slice(1, -1)).toEqual([
      { type: "reasoning-start", id: "reasoning-0" },
      { type: "reasoning-delta", id: "reasoning-0", text: "raw" },
      { type: "reasoning-end", id: "reasoning-0" },
    ]);
  });

  it("keeps encrypted reasoning that has no words, and says nothing of reasoning that has neither", () => {
    const sealed = { id: "rs_1", type: "reasoning", summary: [], encrypted_content: "x" };
    const item = (data: JsonObject): JsonObject[] => [
      { type: "response.output_item.added", output_index: 0, item: data },
      { type: "response.output_item.done", output_index: 0, item: data },
      completed([data]),
    ];
    expect(decode(item(sealed)).slice(1, -1)).toEqual([
      { type: "reasoning-start", id: "reasoning-0" },
      { type: "reasoning-end", id: "reasoning-0", opaque: { protocol: "responses", data: sealed } },
    ]);
    expect(decode(item({ ...sealed, encrypted_content: null })).slice(1, -1)).toEqual([]);
  });

  it("does not call a tool whose arguments were cut", () => {
    const cut = { ...callItem, status: "incomplete", arguments: '{"cmd":"l' };
    const parts = decode([
      created,
      { type: "response.output_item.added", output_index: 0, item: { ...callItem, arguments: "" } },
      { type: "response.function_call_arguments.delta", item_id: "fc_1", output_index: 0, delta: '{"cmd":"l' },
      { type: "response.output_item.done", output_index: 0, item: cut },
      {
        type: "response.incomplete",
        response: { status: "incomplete", incomplete_details: { reason: "max_output_tokens" }, output: [cut], usage },
      },
    ]);
    expect(parts.some((part) => part.type === "tool-call")).toBe(false);
    expect(parts.at(-1)).toEqual(finish("length"));
  });

  it.each<[string, string, boolean]>([
    ["whole", '{"cmd":"ls"}', true],
    ["cut", '{"cmd":"l', false],
  ])("judges a call that was never finished by its arguments: %s", (_name, args, called) => {
    const parts = decode([
      { type: "response.output_item.added", output_index: 0, item: { ...callItem, arguments: "" } },
      { type: "response.function_call_arguments.delta", item_id: "fc_1", output_index: 0, delta: args },
      completed(null),
    ]);
    expect(parts.some((part) => part.type === "tool-call")).toBe(called);
    expect(parts.at(-1)).toEqual(finish(called ? "tool-calls" : "stop"));
  });

  it.each<[string, JsonObject, string]>([
    ["no arguments", { arguments: "" }, "{}"],
    ["arguments as an object", { arguments: { a: 1 } }, '{"a":1}'],
    ["missing arguments", { arguments: null }, "{}"],
  ])("makes JSON of %s", (_name, more, input) => {
    const parts = decode([completed([{ ...callItem, ...more }])]);
    expect(parts).toContainEqual({ type: "tool-call", id: "call_1", name: "exec_command", input });
    expect(parts).toContainEqual({ type: "tool-input-delta", id: "call_1", delta: input });
  });

  it("names a tool of a namespace as it was offered", () => {
    expect(decode([completed([{ ...callItem, namespace: "mcp__files", name: "read" }])])).toContainEqual(
      expect.objectContaining({ type: "tool-call", name: "mcp__files__read" }),
    );
  });

  it.each<[JsonObject, string]>([
    [{ status: "completed" }, "stop"],
    [{}, "stop"],
    [{ status: "incomplete", incomplete_details: { reason: "max_output_tokens" } }, "length"],
    [{ status: "incomplete", incomplete_details: { reason: "content_filter" } }, "content-filter"],
    [{ status: "incomplete", incomplete_details: null }, "other"],
  ])("finishes %j as %s", (response, reason) => {
    expect(decode([{ type: "response.completed", response }]).at(-1)).toEqual({ type: "finish", reason, usage: null });
  });

  it("passes over calls that the provider ran, and all that follows the terminal event", () => {
    expect(
      decode([
        created,
        { type: "response.output_item.added", output_index: 0, item: { type: "web_search_call", id: "ws_1" } },
        { type: "response.output_item.done", output_index: 0, item: { type: "web_search_call", id: "ws_1" } },
        completed([{ type: "web_search_call", id: "ws_1" }, messageItem]),
        completed([messageItem]),
      ]).map((part) => part.type),
    ).toEqual(["response-start", "text-start", "text-delta", "text-end", "finish"]);
  });
});

describe("decodeAnswer", () => {
  it("tells a whole answer as its stream would", () => {
    const body = completed([reasoningItem, messageItem, callItem, customItem])["response"] as JsonObject;
    expect(responses.decodeAnswer(body)).toEqual(fullAnswer);
  });

  it.each([null, []])("takes output_text when the output is %j", (output) => {
    expect(responses.decodeAnswer({ id: "r", output, output_text: "Hello" })).toContainEqual({
      type: "text-delta",
      id: "text-0-0",
      text: "Hello",
    });
  });
});

describe("foldStream", () => {
  it.each(complete)("folds to the answer that was streamed: %s", (_name, events) => {
    const folded = responses.foldStream(events.map(sse));
    expect(folded).toMatchObject({ id: "resp_1", object: "response", status: "completed", model: "gpt-5.5", usage });
    expect(folded["output"]).toEqual([reasoningItem, messageItem, callItem, customItem]);
  });

  it("makes a message of deltas when nothing else told it", () => {
    const folded = responses.foldStream(
      [
        created,
        { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: "Hel" },
        { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: "lo" },
        completed(null),
      ].map(sse),
    );
    expect(folded["output"]).toMatchObject([{ type: "message", role: "assistant", content: [{ text: "Hello" }] }]);
  });

  it("never calls a stream without its end complete", () => {
    const folded = responses.foldStream((streams["cut without a terminal event"] ?? []).map(sse));
    expect(folded).toMatchObject({ status: "incomplete", output: [reasoningItem, messageItem] });
  });
});

describe("a stream cut at any byte", () => {
  const parse = (...pieces: Uint8Array[]): SseEvent[] => {
    const parser = new SseParser();
    return [...pieces.flatMap((piece) => parser.push(piece)), ...parser.end()];
  };
  const follow = (events: readonly SseEvent[]): unknown => {
    const reader = responses.createStreamReader();
    const decoder = responses.createStreamDecoder();
    const seen = events.map((event) => ({ verdict: reader.read(event), parts: decoder.decode(event) }));
    return { seen, end: reader.end(), usage: reader.usage };
  };

  it.each(Object.entries(streams))("gives the same verdicts and parts: %s", (_name, events) => {
    const bytes = new TextEncoder().encode(wire(events));
    const whole = parse(bytes);
    const followed = follow(whole);
    expect(follow(parse(...Array.from(bytes, (byte) => Uint8Array.of(byte))))).toEqual(followed);
    for (let at = 1; at < bytes.length; at++) {
      const cut = parse(bytes.subarray(0, at), bytes.subarray(at));
      const same = cut.length === whole.length && cut.every((event, i) => isSame(event, whole[i]));
      // The same events in the same order are followed the same way: that is done for every tenth cut only.
      if (!same || at % 10 === 0) expect(follow(cut), `cut at byte ${at}`).toEqual(followed);
    }
  });

  it("is complete only when all of it came", () => {
    const bytes = new TextEncoder().encode(wire(streams["finished items only"] ?? []));
    for (let length = 0; length <= bytes.length; length++) {
      const reader = responses.createStreamReader();
      for (const event of parse(bytes.subarray(0, length))) reader.read(event);
      // Its blank line is no part of the last event.
      expect(reader.end() === null, `after ${length} of ${bytes.length} bytes`).toBe(length >= bytes.length - 2);
    }
  });
});

function isSame(event: SseEvent, other: SseEvent | undefined): boolean {
  return event.event === other?.event && event.data === other?.data;
}
