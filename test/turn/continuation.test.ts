import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import type { Usage } from "../../src/core/events.ts";
import { type ProtocolName, protocolNames } from "../../src/core/target.ts";
import { TransportError } from "../../src/core/transport.ts";
import { classifyFailure } from "../../src/failures/classify.ts";
import type { Part } from "../../src/protocols/canonical.ts";
import { protocols } from "../../src/protocols/index.ts";
import { SseParser } from "../../src/protocols/sse.ts";
import { AnswerStream } from "../../src/turn/answer-stream.ts";
import { type CallerAnswer, toCallerAnswer } from "../../src/turn/caller-answer.ts";
import type { FindSuccessor } from "../../src/turn/continuation.ts";
import { defaultLimits } from "../../src/turn/limits.ts";
import { Overlap } from "../../src/turn/overlap.ts";
import { Watchdog } from "../../src/turn/watchdog.ts";

const usage: Usage = { input: 10, output: 5, cachedInput: 0, reasoning: 0 };
/** Characters of one to four bytes, and a pair of surrogates. */
const story = "Zoë paid 5 € for a 🎭 ticket; the show went on.";
const pieces = ["Zoë pa", "id 5 € fo", "r a 🎭 tic", "ket; the sh", "ow went on."];
const encoder = new TextEncoder();

/** An answer as `protocol` streams it. */
function wire(protocol: ProtocolName, parts: readonly Part[]): Uint8Array {
  const out = protocols[protocol].createStreamEncoder({ id: "one", model: "m" });
  return encoder.encode(parts.map((part) => out.encode(part)).join(""));
}

const textParts = (texts: readonly string[]): Part[] => [
  { type: "response-start", id: "a", model: "m" },
  { type: "text-start", id: "t" },
  ...texts.map((text): Part => ({ type: "text-delta", id: "t", text })),
  { type: "text-end", id: "t" },
  { type: "finish", reason: "stop", usage },
];

interface Setup {
  readonly caller: ProtocolName;
  readonly upstream: ProtocolName;
  readonly bytes: Uint8Array;
  /** It breaks off here. */
  readonly cutAt: number;
  readonly findSuccessor?: FindSuccessor;
}

/** The answer at its commit point; null when it broke off before. */
async function committed({ caller, upstream, bytes, cutAt, findSuccessor }: Setup): Promise<CallerAnswer | null> {
  async function* body(): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(0, cutAt);
    await Promise.resolve();
    if (cutAt < bytes.length) throw new TransportError("body", "ECONNRESET", "the connection was reset");
  }
  const stream = new AnswerStream({
    body: body(),
    reader: protocols[upstream].createStreamReader(),
    watchdog: new Watchdog(systemClock, () => {}),
    now: () => 0,
    limits: defaultLimits,
    classify: (evidence) => classifyFailure({ protocol: upstream, ...evidence }, { now: 0 }),
    isCancelled: () => false,
    withholdsFailure: findSuccessor !== undefined,
  });
  if ((await stream.hold(false)) !== null) return null;
  const request = { dialect: caller, body: "{}", stream: true } as const;
  const answer = { status: 200, headers: {}, kind: "stream", stream } as const;
  return toCallerAnswer(request, upstream, answer, { id: "turn", model: "m" }, findSuccessor);
}

/** Goes on from whatever was said, in `protocol`, and knows the story by heart. */
function successorIn(protocol: ProtocolName, asked: string[] = []): FindSuccessor {
  return async (said) => {
    asked.push(said);
    const rest = Array.from(story.slice(said.length));
    // A response without a word is no answer; elsewhere it is one that had nothing to add.
    const spoken = rest.length === 0 ? "chat-completions" : protocol;
    const half = Math.ceil(rest.length / 2);
    const texts = [rest.slice(0, half).join(""), rest.slice(half).join("")];
    const bytes = wire(spoken, textParts(texts));
    const answer = await committed({ caller: spoken, upstream: spoken, bytes, cutAt: bytes.length });
    return answer && { answer, prefilled: true, name: "b/m/ben", dropped: [] };
  };
}

interface Reading {
  readonly raw: string;
  readonly text: string;
  readonly starts: number;
  readonly finish: Extract<Part, { type: "finish" }> | undefined;
  readonly isFailed: boolean;
}

const beginnings: Record<ProtocolName, string> = {
  responses: '"response.created"',
  "chat-completions": '"role":"assistant"',
  messages: '"message_start"',
};

/** Reads a stream as a client of this protocol does. Throws for a sequence that no client could follow. */
async function read(protocol: ProtocolName, answer: CallerAnswer): Promise<Reading> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of answer.bytes()) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const parser = new SseParser();
  const events = [...parser.push(bytes), ...parser.end()];
  const reader = protocols[protocol].createStreamReader();
  const verdicts = events.map((event) => reader.read(event).kind);
  const decoder = protocols[protocol].createStreamDecoder();
  const parts = [...events.flatMap((event) => decoder.decode(event)), ...(decoder.end?.() ?? [])];
  const raw = bytes.toString();
  checkOrder(protocol, raw);
  return {
    raw,
    text: parts.map((part) => (part.type === "text-delta" ? part.text : "")).join(""),
    starts: raw.split(beginnings[protocol]).length - 1,
    finish: parts.find((part) => part.type === "finish"),
    isFailed: verdicts.includes("failure"),
  };
}

/** What the official clients rely on: numbers that count, blocks that open once and close once, one id. */
function checkOrder(protocol: ProtocolName, raw: string): void {
  const events = [...raw.matchAll(/^data: (\{.*)$/gm)].map(
    ([, data]) => JSON.parse(data ?? "") as Record<string, unknown>,
  );
  if (protocol === "chat-completions") {
    expect(new Set(events.filter(({ error }) => error === undefined).map(({ id }) => id)).size).toBe(1);
  } else if (protocol === "messages") {
    const blocks = events.filter(({ type }) => /^content_block_(start|stop)$/.test(String(type)));
    for (const [at, { type, index }] of blocks.entries()) {
      expect([type, index]).toEqual([at % 2 === 0 ? "content_block_start" : "content_block_stop", Math.floor(at / 2)]);
    }
  } else {
    const own = events.filter(({ type }) => type !== "error" && type !== "response.failed");
    expect(own.map(({ sequence_number }) => sequence_number)).toEqual(own.map((_, index) => index));
    const added = own.filter(({ type }) => type === "response.output_item.added").length;
    const last = own.at(-1);
    if (last?.["type"] === "response.completed") {
      expect(own.filter(({ type }) => type === "response.output_item.done").length).toBe(added);
      expect((last["response"] as { output: unknown[] }).output.length).toBe(added);
    }
  }
}

const pairs = protocolNames.flatMap((caller) => protocolNames.map((upstream) => [caller, upstream] as const));

describe.each(pairs)("an answer in %s from %s that breaks off", (caller, upstream) => {
  const bytes = wire(upstream, textParts(pieces));
  /** Every byte of the longest character and around it, and a sample of all others. */
  const emoji = Buffer.from(bytes).indexOf("🎭");
  const every = caller === upstream ? 7 : 29;
  const cuts = Array.from({ length: bytes.length }, (_, at) => at).filter(
    (at) => at % every === 0 || Math.abs(at - emoji) < 8,
  );

  it("is gone on in wherever that is: one beginning, every word once, one end", async () => {
    let goneOn = 0;
    for (const cutAt of cuts) {
      const asked: string[] = [];
      const other = protocolNames[cutAt % 3] ?? "messages";
      const answer = await committed({ caller, upstream, bytes, cutAt, findSuccessor: successorIn(other, asked) });
      if (answer === null) continue;
      const reading = await read(caller, answer);
      const where = `cut at ${cutAt}: ${reading.raw.slice(-300)}`;
      expect(reading.starts, where).toBeLessThanOrEqual(1);
      expect(story.startsWith(reading.text), where).toBe(true);
      if (asked.length > 0) {
        goneOn += 1;
        expect([reading.text, reading.finish?.reason, reading.isFailed], where).toEqual([story, "stop", false]);
        expect(answer.end(), where).toMatchObject({ kind: "complete" });
      } else {
        // Nothing was left to say but that this was all.
        expect([reading.text, answer.end()?.kind === "complete" || reading.isFailed], where).toEqual([story, true]);
      }
    }
    expect(goneOn).toBeGreaterThan(cuts.length / 3);
  });

  it("ends in the protocol's own error when the one that goes on breaks off as well and nobody is left", async () => {
    const cutAt = bytes.indexOf(encoder.encode("🎭")[0] ?? 0) + 2;
    const second = wire(caller, textParts(["and on ", "and on"]));
    let turns = 0;
    const findSuccessor: FindSuccessor = async () => {
      turns += 1;
      if (turns > 1) return null;
      const short = Math.floor(second.length * 0.6);
      const answer = await committed({ caller, upstream: caller, bytes: second, cutAt: short });
      return answer && { answer, prefilled: true, name: "b/m/ben", dropped: [] };
    };
    const answer = await committed({ caller, upstream, bytes, cutAt, findSuccessor });
    const reading = answer && (await read(caller, answer));
    expect(turns).toBe(2);
    expect(reading).toMatchObject({ starts: 1, isFailed: true, finish: undefined });
    expect(answer?.end()).toMatchObject({ kind: "cut", told: false });
  });
});

describe("going on", () => {
  const bytesOf = (parts: readonly Part[]): Uint8Array => wire("messages", parts);

  it.each(protocolNames)("adds up what both have used, in %s", async (caller) => {
    const bytes = bytesOf(textParts(pieces));
    // Anthropic counts as it goes: what it told until the break is known.
    const told = new TextDecoder().decode(bytes).replace('"output_tokens":0', '"output_tokens":3');
    const full = encoder.encode(told);
    const cutAt = Math.floor(full.length * 0.7);
    const findSuccessor = successorIn("responses");
    const answer = await committed({ caller, upstream: "messages", bytes: full, cutAt, findSuccessor });
    const reading = answer && (await read(caller, answer));
    expect(reading?.finish?.usage).toMatchObject({ input: 10, output: 8 });
    expect(answer?.end()).toMatchObject({ kind: "complete", usage: { input: 10, output: 8 } });
  });

  it.each<[string, Part[]]>([
    [
      "a tool call has begun",
      [
        { type: "tool-input-start", id: "c1", name: "run" },
        { type: "tool-input-delta", id: "c1", delta: '{"a' },
      ],
    ],
    [
      "reasoning is open",
      [
        { type: "reasoning-start", id: "r" },
        { type: "reasoning-delta", id: "r", text: "hm, let me" },
      ],
    ],
  ])("is not asked for when %s", async (_, open) => {
    for (const [caller, upstream] of pairs) {
      const start: Part[] = [...textParts(["I will look."]).slice(0, 3), { type: "text-end", id: "t" }, ...open];
      const bytes = wire(upstream, start);
      const asked: string[] = [];
      const broken = new Uint8Array([...bytes, 100]);
      const findSuccessor = successorIn("messages", asked);
      const answer = await committed({ caller, upstream, bytes: broken, cutAt: bytes.length, findSuccessor });
      const reading = answer && (await read(caller, answer));
      expect(asked, `${caller} ${upstream}`).toEqual([]);
      expect(reading).toMatchObject({ text: "I will look.", isFailed: true, finish: undefined });
    }
  });

  it("keeps the provider's failure event back until nobody goes on, and passes it on then as it was", async () => {
    const failure =
      'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n';
    const open = bytesOf(textParts(pieces).slice(0, 4));
    const bytes = Buffer.concat([open, encoder.encode(failure)]);
    const setup = { caller: "messages", upstream: "messages", bytes, cutAt: bytes.length } as const;
    // The hold must not see it: it comes with the second chunk.
    const goneOn = await committed({ ...setup, bytes, findSuccessor: successorIn("messages") });
    expect(goneOn).toBeNull();
    async function* body(): AsyncGenerator<Uint8Array> {
      yield open;
      await Promise.resolve();
      yield encoder.encode(failure);
    }
    for (const isFound of [true, false]) {
      const stream = new AnswerStream({
        body: body(),
        reader: protocols.messages.createStreamReader(),
        watchdog: new Watchdog(systemClock, () => {}),
        now: () => 0,
        limits: defaultLimits,
        classify: (evidence) => classifyFailure({ protocol: "messages", ...evidence }, { now: 0 }),
        isCancelled: () => false,
        withholdsFailure: true,
      });
      await stream.hold(false);
      const answer = toCallerAnswer(
        { dialect: "messages", body: "{}", stream: true },
        "messages",
        { status: 200, headers: {}, kind: "stream", stream },
        { id: "turn", model: "m" },
        isFound ? successorIn("messages") : async () => null,
      );
      const reading = await read("messages", answer);
      expect(reading.raw.includes("overloaded_error")).toBe(!isFound);
      if (isFound) expect(reading.text).toBe(story);
      else expect(reading.raw.endsWith(failure)).toBe(true);
    }
  });

  it("gives a successor's calls with their ids, behind the text, and leaves its reasoning out", async () => {
    const parts: Part[] = [
      { type: "response-start", id: "b", model: "m" },
      { type: "reasoning-start", id: "r" },
      { type: "reasoning-delta", id: "r", text: "what was I saying" },
      { type: "reasoning-end", id: "r" },
      { type: "tool-input-start", id: "call_9", name: "run" },
      { type: "tool-input-delta", id: "call_9", delta: '{"a":1}' },
      { type: "tool-call", id: "call_9", name: "run", input: '{"a":1}' },
      { type: "finish", reason: "tool-calls", usage },
    ];
    for (const [caller, upstream] of pairs) {
      const bytes = wire(upstream, textParts(pieces).slice(0, 4));
      const second = wire("chat-completions", parts);
      const answer = await committed({
        caller,
        upstream,
        bytes: new Uint8Array([...bytes, 100]),
        cutAt: bytes.length,
        async findSuccessor() {
          const setup = { caller: "chat-completions", upstream: "chat-completions" } as const;
          const next = await committed({ ...setup, bytes: second, cutAt: second.length });
          return next && { answer: next, prefilled: false, name: "b/m/ben", dropped: ["seed", "é\n"] };
        },
      });
      const reading = answer && (await read(caller, answer));
      expect(reading).toMatchObject({ text: "Zoë paid 5 € fo", finish: { reason: "tool-calls" }, isFailed: false });
      expect(reading?.raw).toContain("call_9");
      expect(reading?.raw).not.toContain("what was I saying");
      const about = ": x-understudy-continued-by=b/m/ben\n\n: x-understudy-dropped=seed;%20%C3%A9%0A\n\n";
      expect(reading?.raw).toContain(about);
    }
  });
});

describe("what a successor repeats", () => {
  const said = "The first act was long. The second act, where the ghost appears,";
  const join = (next: readonly string[], before = said): string => {
    const overlap = new Overlap(before);
    return next.map((text) => overlap.push(text)).join("") + overlap.end();
  };

  it.each<[string, string, string, string]>([
    ["nothing", said, " is short.", " is short."],
    ["the whole", said, `${said} is short.`, " is short."],
    ["a sentence", said, "The second act, where the ghost appears, is short.", " is short."],
    ["too little to tell from chance", said, "appears, and appears, again", "appears, and appears, again"],
    ["a line of code that stands there twice", "  }\n  }\n", "  }\n}", "  }\n}"],
    ["a short whole", "The show must", "The show must go on", " go on"],
    ["a very short whole", "ha ", "ha ha", "ha ha"],
    ["something of its middle", said, "The first act was long. So", "The first act was long. So"],
  ])("%s", (_, before, next, kept) => {
    expect(join([next], before)).toBe(kept);
    expect(join(Array.from(next), before)).toBe(kept);
    expect(join([next.slice(0, 5), next.slice(5)], before)).toBe(kept);
  });
});
