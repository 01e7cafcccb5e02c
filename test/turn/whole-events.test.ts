import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WholeEvents } from "../../src/turn/whole-events.ts";

const encoder = new TextEncoder();

/** What comes out after each chunk, and what stays open. */
function pass(chunks: readonly string[]): { given: string[]; rest: string } {
  const decoder = new TextDecoder();
  const whole = new WholeEvents();
  const given = chunks.map((chunk) => decoder.decode(whole.push(encoder.encode(chunk))));
  return { given, rest: decoder.decode(whole.rest()) };
}

describe("whole events", () => {
  it.each([
    ["LF", "data: a\n\n", "data: b"],
    ["CR LF", "data: a\r\n\r\n", "data: b"],
    ["CR", "data: a\r\r", "data: b"],
    ["mixed line ends", "data: a\n\r\n", "data: b"],
    ["a comment", ": alive\n\n", ": ali"],
  ])("are given on, with %s, and an open one waits", (_, whole, open) => {
    expect(pass([whole + open])).toEqual({ given: [whole], rest: open });
  });

  it("are found when the blank line itself is split over chunks", () => {
    expect(pass(["data: a\n", "\ndata: b"])).toEqual({ given: ["", "data: a\n\n"], rest: "data: b" });
    expect(pass(["data: a\r\n", "\r\ndata: b"])).toEqual({ given: ["", "data: a\r\n\r\n"], rest: "data: b" });
    expect(pass(["data: a\r\n\r", "\nx"])).toEqual({ given: ["", "data: a\r\n\r\n"], rest: "x" });
  });

  it("come through untouched: a chunk that ends with an event is the same bytes, not a copy", () => {
    const chunk = encoder.encode("data: a\n\n");
    expect(new WholeEvents().push(chunk)).toBe(chunk);
  });

  it("are not waited for when one is longer than any that can be read", () => {
    const whole = new WholeEvents();
    const mebibyte = Buffer.alloc(1024 * 1024, "x");
    whole.push(encoder.encode("data: "));
    for (let count = 0; count < 16; count++) whole.push(mebibyte);
    expect(() => whole.push(mebibyte)).toThrow("a stream event has no end");
  });

  it("lose and add no byte, and never end inside an event, at any split", () => {
    const event = fc.constantFrom("data: a\n\n", "event: b\r\ndata: b\r\n\r\n", ": alive\n\n", "data: ä€😀\n\n");
    fc.assert(
      fc.property(fc.array(event), fc.string(), fc.array(fc.nat({ max: 80 })), (events, tail, cuts) => {
        const text = events.join("") + tail.toWellFormed().replaceAll(/[\r\n]/g, "");
        const bytes = encoder.encode(text);
        const at = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
        const whole = new WholeEvents();
        const given = at.slice(1).map((end, index) => whole.push(bytes.subarray(at[index], end)));
        expect(Buffer.concat(given).toString()).toBe(events.join(""));
        expect(Buffer.concat([...given, whole.rest()]).toString()).toBe(text);
      }),
    );
  });
});
