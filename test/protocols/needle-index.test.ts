import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BodyBytes } from "../../src/gateway/body-bytes.ts";
import { protocols } from "../../src/protocols/index.ts";
import { editBytes, scanRouting, searchedTexts } from "../../src/protocols/json-bytes.ts";
import { createIndexer, type NeedleIndex } from "../../src/protocols/needle-index.ts";
import { builtInProviders } from "../../src/providers/registry.ts";
import { sealNames } from "../../src/turn/seals.ts";

const indexer = createIndexer(searchedTexts);
if (indexer === null) throw new Error("this machine has no WebAssembly with SIMD");

function indexOf(text: string): NeedleIndex {
  const index = indexer?.(Buffer.from(text)) ?? null;
  if (index === null) throw new Error("too much of it");
  return index;
}

/** Finds what is there, wherever one looks from, and nothing else. */
function expectRight(text: string): void {
  const bytes = Buffer.from(text);
  const index = indexOf(text);
  for (const needle of searchedTexts) {
    for (let from = 0; from >= 0 && from <= bytes.length; ) {
      const found = bytes.indexOf(needle, from, "latin1");
      expect(index.find(needle, from), `${needle} from ${from}`).toBe(found);
      from = found < 0 ? -1 : found + 1;
    }
  }
}

describe("an index of needles", () => {
  const near = searchedTexts.flatMap((needle) => [needle.slice(0, -1), needle.slice(1), needle.toUpperCase()]);
  const piece = fc.oneof(
    fc.constantFrom(...searchedTexts),
    fc.constantFrom(...near, '"', "\\", '\\"', "\\\\", '"""', "\\u", "é", "\u2028", "\0"),
    fc.string({ unit: "grapheme", maxLength: 20 }),
  );

  it("finds what a search finds", () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => expectRight(pieces.join(""))),
      { numRuns: 300 },
    );
  });

  it("finds what lies across two of its pieces, and nothing that an earlier body left behind", () => {
    for (const needle of ['"model"', '"encrypted_content"', "\\u00"]) {
      for (let before = 65_536 - needle.length - 1; before <= 65_537; before++) {
        expectRight(`${" ".repeat(before)}${needle}`);
        expectRight(needle.slice(0, -1));
        expectRight(" ".repeat(before + 1));
      }
    }
  });

  it("is given up for a body of nothing else, and knows no other texts", () => {
    expect(indexer?.(Buffer.from('"rs_'.repeat(30_000)))).toBeNull();
    expect(indexOf("x").find('"other"', 0)).toBeUndefined();
    for (const needles of [['"é"x'], ["model"], ['"mo'], ['"rs_', '"rs_understudy']]) {
      expect(() => createIndexer(needles)).toThrow(/can't be a needle/);
    }
  });

  it("knows all that a body is searched for on its way through", () => {
    const asked = new Set<string>();
    class Watched extends BodyBytes {
      override find(text: string, from: number): number {
        asked.add(text);
        return super.find(text, from);
      }
    }
    const filler = "x".repeat(10_000);
    const text = JSON.stringify({ model: "m", input: filler, tools: [filler], stream: true, max_output_tokens: 9 });
    for (const { bodyRules: rules } of builtInProviders) {
      const json = new Watched(Buffer.from(text));
      scanRouting(json);
      editBytes(json, { set: { model: "n", ...rules?.set }, remove: rules?.remove ?? [] });
    }
    for (const { mayNeedCleaning } of Object.values(protocols)) mayNeedCleaning?.(new Watched(Buffer.from(text)));
    expect(asked.size).toBeGreaterThan(10);
    expect([...asked, ...sealNames].filter((one) => !searchedTexts.includes(one))).toEqual([]);
  });
});
