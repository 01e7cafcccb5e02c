import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BodyBytes } from "../../src/gateway/body-bytes.ts";
import type { Json } from "../../src/protocols/canonical.ts";
import { protocols } from "../../src/protocols/index.ts";
import { editTopLevel } from "../../src/protocols/edit-json.ts";
import {
  editBytes,
  type ElementSpan,
  firstElement,
  type JsonBytes,
  nextElement,
  scanRouting,
  scanTopLevel,
  valueOf,
} from "../../src/protocols/json-bytes.ts";

const bytesOf = (text: string): BodyBytes => new BodyBytes(Buffer.from(text));

/** The same without an index, as where there is no WebAssembly. */
function searchedOneByOne(text: string): JsonBytes {
  const bytes = Buffer.from(text);
  return {
    bytes,
    find: (needle, from) => bytes.indexOf(needle, from, "latin1"),
    text: (from, to) => bytes.toString("utf8", from, to),
  };
}

const names = ["model", "stream", "store", "metadata"];

/** A key as it may be written: plain, or with one of its letters escaped. */
const writtenKey = fc
  .tuple(fc.oneof(fc.constantFrom(...names), fc.constantFrom("input", "é", "", "mode", "models")), fc.nat(20))
  .map(([key, at]) => {
    if (at >= key.length) return JSON.stringify(key);
    const escaped = `\\u${key.charCodeAt(at).toString(16).padStart(4, "0")}`;
    return `"${key.slice(0, at)}${escaped}${key.slice(at + 1)}"`;
  });

const evil = fc.constantFrom('"model":"evil"', '\\"stream":true', "}", '{"', "\\\\", '"', "\u2028é✓", 'x"model"');
const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.array(evil, { maxLength: 4 }).map((parts) => parts.join("")),
);
const leaf = fc.oneof(text, fc.constantFrom(0, -1.5e3, 12345678901234567890n.toString(), true, false, null));
const tree = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    leaf,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.oneof(text, fc.constantFrom(...names)), tie("value"), { maxKeys: 3 }),
  ),
})).value;
const space = fc.constantFrom("", "", "", " ", "\n\t", "\r\n");

/** The text of an object, with blanks, duplicates and escaped keys as they come. */
const object = (key: fc.Arbitrary<string>, value: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(fc.array(fc.tuple(key, value, space, space), { maxLength: 6 }), space, space)
    .map(
      ([members, before, after]) =>
        `${before}{${members.map(([name, written, a, b]) => `${a}${name}${b}:${a}${written}${b}`).join(",")}}${after}`,
    );

const small = object(
  writtenKey,
  tree.map((value) => JSON.stringify(value)),
);
/** Long ones: the two ends are walked through, the middle is searched. */
const long = object(
  writtenKey,
  fc.oneof(
    tree.map((value) => JSON.stringify(value)),
    fc
      .tuple(fc.integer({ min: 1_000, max: 12_000 }), tree)
      .map(([size, value]) => JSON.stringify(['x\\"'.repeat(size / 4), value, "y".repeat(size)])),
  ),
);

function parsed(source: string): Record<string, Json> {
  return JSON.parse(source) as Record<string, Json>;
}

describe("a scan of a body's top level", () => {
  it.each([
    ["small", small, 800, bytesOf],
    ["long", long, 150, bytesOf],
    ["long", long, 50, searchedOneByOne],
  ] as const)("finds in a %s body what JSON.parse finds, or says that it can't tell", (_, arbitrary, numRuns, read) => {
    let told = 0;
    fc.assert(
      fc.property(arbitrary, (source) => {
        const json = read(source);
        const scan = scanTopLevel(json, names, []);
        if (scan === null) return;
        told += 1;
        const truth = parsed(source);
        for (const name of names)
          expect(valueOf(json, scan, name)).toEqual(Object.hasOwn(truth, name) ? truth[name] : undefined);
      }),
      { numRuns },
    );
    // It would be of no use if it never told.
    expect(told).toBeGreaterThan(numRuns / 10);
  });

  it.each([
    ["small", small, 800],
    ["long", long, 150],
  ] as const)("edits a %s body as the text is edited, or says that it can't", (_, arbitrary, numRuns) => {
    let done = 0;
    const edits = { set: { model: "mine", store: false }, remove: ["metadata"] };
    fc.assert(
      fc.property(arbitrary, (source) => {
        const pieces = editBytes(bytesOf(source), edits);
        if (pieces === null) return;
        done += 1;
        const edited = Buffer.concat(pieces).toString();
        expect(parsed(edited)).toEqual(parsed(editTopLevel(source, edits)));
        // And no reader finds the old value, whichever of duplicates it takes.
        expect(edited.length).toBeLessThanOrEqual(source.length + `"model":"mine","store":false,`.length);
      }),
      { numRuns },
    );
    expect(done).toBeGreaterThan(numRuns / 20);
  });

  it("never throws and never misses, whatever the bytes are", () => {
    fc.assert(
      fc.property(
        fc.oneof(small, long),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
        fc.nat(),
        (source, changes, cut) => {
          const bytes = Buffer.from(source);
          for (const [at, byte] of changes) bytes[at % Math.max(1, bytes.length)] = byte;
          const json = new BodyBytes(bytes.subarray(0, bytes.length - (cut % 4)));
          const scan = scanTopLevel(json, names, []);
          let truth: Record<string, Json> | null = null;
          try {
            truth = parsed(json.text());
          } catch {
            return;
          }
          if (scan === null || typeof truth !== "object" || truth === null) return;
          for (const name of names)
            expect(valueOf(json, scan, name)).toEqual(Object.hasOwn(truth, name) ? truth[name] : undefined);
        },
      ),
      { numRuns: 600 },
    );
  });

  it("tells in an agent's body of any length, by its two ends", () => {
    const message = { role: "user", content: 'say "model": x, \\"stream\\": true' };
    for (const count of [1, 100, 5_000]) {
      const json = bytesOf(
        JSON.stringify({
          model: "m",
          input: Array.from({ length: count }, () => message),
          tools: [],
          stream: true,
          store: false,
        }),
      );
      const scan = scanRouting(json);
      expect(scan).not.toBeNull();
      if (scan === null) continue;
      expect([valueOf(json, scan, "model"), valueOf(json, scan, "stream")]).toEqual(["m", true]);
    }
  });

  it("can't tell when a name stands in the middle of a long body, or twice, however it is written", () => {
    const filler = "x".repeat(10_000);
    const sources = [
      `{"model":"a","input":"${filler}","mod\\u0065l":"b","tools":"${filler}","stream":true}`,
      `{"model":"a","input":"${filler}","\\u006D\\u006f\\u0064\\u0065\\u006c":"b","tools":"${filler}","stream":true}`,
      `{"model":"a","input":"${filler}","\\u0073tream":false,"tools":"${filler}"}`,
      `{"model":"a","stream":true,"input":"${filler}\\u00e9","tools":["${"\\u0061".repeat(1_001)}"],"x":"${filler}"}`,
      `{"model":"a","input":"${filler}","stream":true,"tools":"${filler}"}`,
      `{"model":"a","input":"${filler}","model":"b","tools":"${filler}","stream":true}`,
      `{"model":"a","input":"${filler}","stream":true,"model":"b"}`,
      `{"model":"a","input":{"a":"${filler}","stream":true}}`,
      `{"model":"a","input":"${filler}","stream":true`,
    ];
    for (const source of sources) expect(scanRouting(bytesOf(source)), source.slice(-60)).toBeNull();
  });

  it("tells of a body whose texts hold escapes", () => {
    const filler = "x".repeat(10_000);
    const texts = ["\\u001b[31m caf\\u00e9", "mod\\u0065l", '\\"mod\\u0065ls\\"', "\\\\u0065"].join(filler);
    const scan = scanRouting(bytesOf(`{"model":"a","stream":true,"input":"${texts}","tools":"${filler}"}`));
    expect(scan?.members.has("stream")).toBe(true);
  });

  it("walks through the elements of a list, as far as it may", () => {
    const json = bytesOf('[{"a":[1,2]} , "b,]" ,3 ]');
    const elementsOf = (limit: number): ElementSpan[] => {
      const elements: ElementSpan[] = [];
      for (let one = firstElement(json, 0, limit); one !== null; one = nextElement(json, one, limit))
        elements.push(one);
      return elements;
    };
    const texts = elementsOf(1_000).map(({ start, end }) => json.text(start, end));
    expect(texts).toEqual(['{"a":[1,2]}', '"b,]"', "3"]);
    expect(elementsOf(5).map(({ isWhole }) => isWhole)).toEqual([false]);
    expect(firstElement(bytesOf(" [ ]"), 1, 1_000)).toBeNull();
    expect(firstElement(json, 1, 1_000)).toBeNull();
  });
});

describe("whether a body that is not decoded may need cleaning", () => {
  const id = fc.oneof(
    fc.stringMatching(/^[\w-]{1,80}$/),
    fc.constantFrom(
      "call_1",
      "call_1",
      "a.b",
      "",
      "x y",
      "rs_1",
      "rs_understudy_1",
      "understudy",
      'quo"te',
      "back\\slash",
      "é",
    ),
  );
  const name = fc.constantFrom("id", "call_id", "tool_call_id", "tool_use_id", "signature");
  const item = fc
    .tuple(fc.constantFrom("reasoning", "function_call", "tool_use", "thinking"), fc.array(fc.tuple(name, id)))
    .map(([type, members]) => ({ type, ...Object.fromEntries(members) }));

  it.each(Object.values(protocols).map((protocol) => [protocol.name, protocol] as const))(
    "is not denied of %s where cleaning changes something",
    (_, { cleanRequest, mayNeedCleaning }) => {
      let clean = 0;
      fc.assert(
        fc.property(fc.array(item, { maxLength: 4 }), fc.boolean(), space, (items, isStored, blank) => {
          const list = [{ role: "assistant", content: items, tool_calls: items }, ...items];
          const text = JSON.stringify({ input: list, messages: list, store: isStored }).replaceAll(
            ":",
            `${blank}:${blank}`,
          );
          if (mayNeedCleaning?.(bytesOf(text)) !== false) return;
          clean += 1;
          expect(cleanRequest?.(text)).toBe(text);
        }),
        { numRuns: 400 },
      );
      expect(clean).toBeGreaterThan(20);
    },
  );
});
