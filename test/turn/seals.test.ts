import { describe, expect, it } from "vitest";
import { createSealLedger, issuerName, sealsIn } from "../../src/turn/seals.ts";

const seal = (name: string): string => `gAAAAA-${name.padEnd(40, "x")}`;
const ann = issuerName("ann", "gpt-5.5");
const ben = issuerName("ben", "gpt-5.5");

describe("who made which sealed reasoning", () => {
  it("is known from the answers: to everybody else, and to another model of the same account, it is foreign", () => {
    const ledger = createSealLedger();
    ledger.made([seal("a")], ann);
    const askers = [ann, ben, issuerName("ann", "gpt-5.4-mini")];
    expect(askers.map((asker) => ledger.isForeign(seal("a"), asker))).toEqual([false, true, true]);
  });

  it("is not guessed: what nobody is known to have made is foreign to nobody", () => {
    expect(createSealLedger().isForeign(seal("a"), ann)).toBe(false);
  });

  it("is learned from a refusal, which is never about what one made oneself", () => {
    const ledger = createSealLedger();
    ledger.made([seal("own")], ann);
    ledger.refused([seal("own"), seal("old")], ann);
    expect([seal("own"), seal("old")].map((one) => ledger.isForeign(one, ann))).toEqual([false, true]);
    expect(ledger.isForeign(seal("old"), ben)).toBe(false);
    ledger.made([seal("old")], ann);
    expect(ledger.isForeign(seal("old"), ann)).toBe(false);
  });

  it("is forgotten from the oldest on", () => {
    const ledger = createSealLedger(2);
    ledger.made([seal("a"), seal("b")], ann);
    ledger.made([seal("a")], ann);
    ledger.made([seal("c")], ann);
    expect(["a", "b", "c"].map((name) => ledger.isForeign(seal(name), ben))).toEqual([true, false, true]);
  });
});

describe("seals in a text", () => {
  it("are the encrypted texts and signatures, wherever they stand", () => {
    const text = JSON.stringify({
      input: [{ encrypted_content: seal("a") }, { content: [{ type: "thinking", signature: seal("b") }] }],
      encrypted_content: null,
      signature: "short",
    });
    expect(sealsIn(text)).toEqual([seal("a"), seal("b")]);
  });

  it("are not words about them", () => {
    expect(sealsIn(JSON.stringify({ text: `"encrypted_content":"${seal("a")}"` }))).toEqual([]);
    expect(sealsIn('{"input":"hi"}')).toEqual([]);
  });
});
