import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatSse, maxEventLength, type SseEvent, SseError, SseParser } from "../../src/protocols/sse.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The events of `stream`, given in these pieces. */
function parse(...pieces: Uint8Array[]): SseEvent[] {
  const parser = new SseParser();
  return [...pieces.flatMap((piece) => parser.push(piece)), ...parser.end()];
}

const cases: [string, string, SseEvent[]][] = [
  [
    "LF",
    "event: a\ndata: 1\n\ndata: 2\n\n",
    [
      { event: "a", data: "1" },
      { event: null, data: "2" },
    ],
  ],
  [
    "CRLF",
    "event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n",
    [
      { event: "a", data: "1" },
      { event: null, data: "2" },
    ],
  ],
  [
    "CR",
    "event: a\rdata: 1\r\rdata: 2\r\r",
    [
      { event: "a", data: "1" },
      { event: null, data: "2" },
    ],
  ],
  [
    "mixed line endings",
    "event: a\r\ndata: 1\n\rdata: 2\r\n\n",
    [
      { event: "a", data: "1" },
      { event: null, data: "2" },
    ],
  ],
  ["a byte order mark", "\uFEFFdata: 1\n\n", [{ event: null, data: "1" }]],
  [
    "a second byte order mark, which is part of the line",
    "\uFEFF\uFEFFdata: 1\n\ndata: 2\n\n",
    [{ event: null, data: "2" }],
  ],
  ["comments", ": hello\n\n:\ndata: 1\n: in between\ndata: 2\n\n: bye\n\n", [{ event: null, data: "1\n2" }]],
  ["data of several lines", "data: a\ndata:\ndata:  b\ndata:c\n\n", [{ event: null, data: "a\n\n b\nc" }]],
  [
    "id, retry and unknown fields",
    "id: 7\nretry: 10\nretry: x\nfoo: bar\ndata\nevent: e\n\n",
    [{ event: "e", data: "" }],
  ],
  ["an event without data, which is none", "event: a\n\ndata: 1\n\n", [{ event: null, data: "1" }]],
  ["an event name with nothing in it", "event:\ndata: 1\n\n", [{ event: null, data: "1" }]],
  ["the last of several names", "event: a\nevent: b\ndata: 1\n\n", [{ event: "b", data: "1" }]],
  ["several blank lines", "\n\n\ndata: 1\n\n\n\n", [{ event: null, data: "1" }]],
  ["colons in data", 'data: {"a":"b:c"}\n\n', [{ event: null, data: '{"a":"b:c"}' }]],
  ["characters of several bytes", "data: é€𝄞\n\n", [{ event: null, data: "é€𝄞" }]],
  [
    "a last event without its blank line",
    "data: 1\n\ndata: 2\n",
    [
      { event: null, data: "1" },
      { event: null, data: "2" },
    ],
  ],
  ["a last event without any line ending", "event: e\ndata: 1", [{ event: "e", data: "1" }]],
  ["a last event that ends in CR", "event: e\r\ndata: 1\r", [{ event: "e", data: "1" }]],
  ["a last name without data", "data: 1\n\nevent: e\n", [{ event: null, data: "1" }]],
  ["nothing", "", []],
  ["text that is no event stream", '{"error":{"message":"no"}}', []],
];

describe("SseParser", () => {
  it.each(cases)("reads %s", (_name, stream, events) => {
    expect(parse(bytes(stream))).toEqual(events);
  });

  it.each(cases)("reads %s when cut at any byte", (_name, stream, events) => {
    const whole = bytes(stream);
    for (let at = 0; at <= whole.length; at++) {
      expect(parse(whole.subarray(0, at), whole.subarray(at))).toEqual(events);
    }
    expect(parse(...Array.from(whole, (byte) => Uint8Array.of(byte)))).toEqual(events);
  });

  it("gives an event as soon as its blank line is there", () => {
    const parser = new SseParser();
    expect(parser.push(bytes("data: 1\n"))).toEqual([]);
    expect(parser.push(bytes("\n"))).toEqual([{ event: null, data: "1" }]);
    expect(parser.end()).toEqual([]);
  });

  it("replaces bytes that are no UTF-8 and goes on", () => {
    expect(parse(Uint8Array.of(...bytes("data: a"), 0xff, ...bytes("b\n\ndata: c\n\n"), 0xe2, 0x82))).toEqual([
      { event: null, data: "a\uFFFDb" },
      { event: null, data: "c" },
    ]);
  });

  describe("with an event that is too large", () => {
    const large = bytes(`data: ${"x".repeat(maxEventLength + 1)}\n\n`);
    const half = bytes(`data: ${"x".repeat(maxEventLength / 2)}\n`);

    it.each([
      ["in one piece", [large]],
      ["in two pieces", [large.subarray(0, 1_000_000), large.subarray(1_000_000)]],
      ["as many lines", [half, half, half]],
      ["without any line ending", [large.subarray(0, -2)]],
    ])("throws when it comes %s", (_name, pieces) => {
      const parser = new SseParser();
      expect(() => [...pieces.flatMap((piece) => parser.push(piece)), ...parser.end()]).toThrow(SseError);
      expect(() => parser.push(bytes("data: 1\n\n"))).toThrow(SseError);
      expect(() => parser.end()).toThrow(SseError);
    });

    it("still gives what was complete before it, in whatever pieces it comes", () => {
      const parser = new SseParser();
      const chunk = new Uint8Array(large.length + 9);
      chunk.set(bytes("data: 1\n\n"));
      chunk.set(large, 9);
      expect(parser.push(chunk)).toEqual([{ event: null, data: "1" }]);
      expect(() => parser.end()).toThrow(SseError);
    });

    it("takes one that just fits", () => {
      const data = "x".repeat(maxEventLength);
      expect(parse(bytes(`data: ${data}\n\n`))).toEqual([{ event: null, data }]);
    });
  });

  it("does not count comments: a stream may be kept alive for as long as it takes", () => {
    const parser = new SseParser();
    const comment = bytes(`: ${"x".repeat(1024 * 1024)}\n`);
    for (let i = 0; i < 20; i++) expect(parser.push(comment)).toEqual([]);
    expect(parser.push(bytes("data: 1\n\n"))).toEqual([{ event: null, data: "1" }]);
  });
});

describe("formatSse", () => {
  it.each([
    ["data", null, "data: data\n\n"],
    ["data", "name", "event: name\ndata: data\n\n"],
    ["a\nb\r\nc\rd", undefined, "data: a\ndata: b\ndata: c\ndata: d\n\n"],
  ])("writes %j named %j", (data, name, text) => {
    expect(formatSse(data, name)).toBe(text);
  });

  it("writes what the parser reads back, at any split", () => {
    const name = fc.option(fc.stringMatching(/^[a-z._]{1,8}$/));
    const event = fc.record({
      event: name,
      data: fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\r", "")),
    });
    fc.assert(
      fc.property(fc.array(event), fc.array(fc.nat(500)), (events, cuts) => {
        const whole = bytes(events.map(({ data, event }) => formatSse(data, event)).join(""));
        const ends = [...cuts.map((cut) => Math.min(cut, whole.length)), whole.length].sort((a, b) => a - b);
        const pieces = ends.map((end, i) => whole.subarray(ends[i - 1] ?? 0, end));
        expect(parse(...pieces)).toEqual(events);
      }),
    );
  });
});
