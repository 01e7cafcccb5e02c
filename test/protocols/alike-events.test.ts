import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alikeEvents, type EventShape, learnShape } from "../../src/protocols/alike-events.ts";

const alike = alikeEvents();
if (alike === null) throw new Error("this machine has no WebAssembly with SIMD");

/** The same as a pattern for one event, by characters. */
function patternOf({ literals, braces }: EventShape): RegExp {
  const escaped = literals.map((literal) => literal.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  const strings = escaped.join(String.raw`(?:[^"\\\x00-\x1f]|\\[^\x00-\x1f])*`);
  return new RegExp(`${strings}${braces === 0 ? "" : String.raw`[^\r\n]*(?<=\}{${braces}})\n\n`}`, "sy");
}

function endByPattern(shape: EventShape, text: string, from: number): number {
  const pattern = patternOf(shape);
  let at = from;
  for (pattern.lastIndex = at; pattern.test(text); pattern.lastIndex = at) at = pattern.lastIndex;
  return at;
}

function end(shape: EventShape, bytes: Uint8Array, from = 0): number | undefined {
  alike?.lookInto(bytes);
  return alike?.endOfAll(learnShape(shape), from);
}

const named: EventShape = { literals: ['event: a\ndata: {"type":"a",'], braces: 1 };
const nested: EventShape = { literals: ['data: {"delta":{"type":"t",'], braces: 2 };
const chunk: EventShape = { literals: ['data: {"x":"', '","y":"', '"}\n\n'], braces: 0 };
const shapes = [named, nested, chunk];

describe("events of one shape", () => {
  const likeIt = fc.oneof(
    fc.constantFrom(
      'event: a\ndata: {"type":"a","delta":"',
      '"}\n\n',
      '"}}\n\n',
      'data: {"delta":{"type":"t","text":"',
    ),
    fc.constantFrom(
      'data: {"x":"',
      '","y":"',
      '"}\n\n',
      "\n",
      "\r",
      "\\",
      '\\"',
      "\\\\",
      '"',
      "}",
      "\0",
      "é",
      "x".repeat(15),
    ),
    fc.string({ maxLength: 20 }).map((text) => JSON.stringify(text).slice(1, -1)),
  );
  const wholeEvent = fc.string({ maxLength: 40 }).chain((text) => {
    const said = JSON.stringify(text).slice(1, -1);
    return fc.constantFrom(
      `event: a\ndata: {"type":"a","delta":"${said}"}\n\n`,
      `data: {"delta":{"type":"t","text":"${said}"}}\n\n`,
      `data: {"x":"${said}","y":"${said}"}\n\n`,
    );
  });

  it("end where a pattern says when the rest of their line is long", () => {
    for (const length of [40, 63, 64, 65, 127, 128, 129, 200, 300]) {
      for (let place = 0; place < length; place += 7) {
        for (const char of ["\n", "\r", "\t", "x"]) {
          const rest = `${"x".repeat(place)}${char}${"x".repeat(length - place - 1)}`;
          const text = `event: a\ndata: {"type":"a","delta":"${rest}"}\n\n`.repeat(2);
          for (const cut of [0, 1, 2, 3, length]) {
            const bytes = Buffer.from(text.slice(0, text.length - cut));
            expect(end(named, bytes)).toBe(endByPattern(named, bytes.toString(), 0));
          }
        }
      }
    }
  });

  it("end where a pattern says, wherever one begins", () => {
    let found = 0;
    const runs = fc.property(
      fc.constantFrom(...shapes),
      fc.array(fc.oneof({ weight: 3, arbitrary: wholeEvent }, likeIt), { maxLength: 12 }),
      fc.nat(30),
      (shape, pieces, offset) => {
        // Characters of one byte each, so that places are the same.
        const text = Buffer.from(pieces.join("")).toString("latin1");
        const bytes = Buffer.from(text, "latin1");
        const from = Math.min(offset < 20 ? 0 : offset, bytes.length);
        const expected = endByPattern(shape, text, from);
        if (expected > from) found += 1;
        expect(end(shape, bytes, from)).toBe(expected);
      },
    );
    fc.assert(runs, { numRuns: 3_000 });
    expect(found).toBeGreaterThan(300);
  });

  it("are found in more than is looked at together, and nothing that earlier bytes left behind", () => {
    const event = `data: {"x":"${"é".repeat(400)}","y":""}\n\n`;
    const many = Buffer.from(event.repeat(400));
    expect(end(chunk, many)).toBe(many.length);
    expect(end(chunk, many.subarray(0, -1))).toBe(399 * Buffer.byteLength(event));
    expect(end(chunk, Buffer.concat([many, Buffer.from("data: x\n\n")]))).toBe(many.length);
    for (let length = 0; length < 40; length++) expect(end(chunk, Buffer.from(event.slice(0, length)))).toBe(0);
    for (let before = 65_536 - 300; before < 65_536 + 40; before++) {
      const first = `data: {"x":"${"x".repeat(before - 24)}","y":""}\n\n`;
      const short = 'data: {"x":"1","y":"2"}\n\n'.repeat(20);
      const all = Buffer.from(short + first + short);
      const longest = Buffer.byteLength(first) <= 65_536;
      expect(end(chunk, all), `${before}`).toBe(longest ? all.length : short.length);
    }
  });

  it("are none where the shape is too long, and are told anew for other bytes and from another place", () => {
    expect(learnShape({ literals: ["x".repeat(10_000)], braces: 1 })).toBeNull();
    alike.lookInto(Buffer.from('data: {"x":"1","y":"2"}\n\n'.repeat(2)));
    expect(alike.endOfAll(null, 3)).toBe(3);
    expect(alike.endOfAll(learnShape(chunk), 0)).toBe(50);
    expect(alike.endOfAll(learnShape(nested), 0)).toBe(0);
    expect(alike.endOfAll(learnShape(chunk), 25)).toBe(50);
    expect(alike.endOfAll(learnShape(chunk), 26)).toBe(26);
    alike.lookInto(Buffer.from('data: {"x":"1","y":"2"}\n\n'));
    expect(alike.endOfAll(learnShape(chunk), 0)).toBe(25);
  });
});
