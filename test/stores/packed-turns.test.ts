import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AttemptRecord, TurnRecord } from "../../src/core/events.ts";
import { PackedTurns, packTurns, unpackTurns } from "../../src/stores/sqlite/packed-turns.ts";
import { sampleTurn, start } from "../contract/store-samples.ts";

const failed = sampleTurn("x").attempts[0];
const time = fc.oneof(fc.integer({ min: start - 5, max: start + 99_999 }), fc.constantFrom(start + 0.5, 0));
const count = fc.oneof(fc.nat(1_000_000), fc.constantFrom(0.5, -3));
const text = fc.oneof(fc.constantFrom("a", "b"), fc.string(), fc.constantFrom('"', "\\", "\u2028", "]"));
/** Little to choose from, so that the same ones meet. */
const candidate = fc.record({ provider: text, model: text, credential: fc.record({ id: text, label: text }) });
const required = ["candidate", "startedAt", "endedAt", "called", "failure", "decision"] as const;
const attempt: fc.Arbitrary<AttemptRecord> = fc.record(
  {
    candidate,
    startedAt: time,
    endedAt: time,
    called: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, fc.boolean()),
    failure: fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, fc.constant(failed?.failure ?? null)),
    decision: fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, fc.constant({ action: "next_target" } as const)),
    waitedMs: fc.nat(),
    restsUntil: time,
    dropped: fc.array(text),
    cut: fc.constant(true as const),
  },
  { requiredKeys: [...required] },
);
const plain = attempt.map(({ candidate, startedAt, endedAt }): AttemptRecord => {
  return { candidate, startedAt, endedAt, called: true, failure: null, decision: null };
});
const turn: fc.Arbitrary<TurnRecord> = fc.record(
  {
    id: text,
    route: text,
    startedAt: time,
    endedAt: time,
    outcome: fc.constantFrom("answered", "answered", "cut", "failed", "cancelled"),
    attempts: fc.oneof(
      plain.map((one) => [one]),
      fc.array(fc.oneof(attempt, plain), { maxLength: 3 }),
    ),
    usage: fc.option(
      fc.record(
        { input: count, output: count, cachedInput: count, reasoning: count, reportedCost: count },
        { requiredKeys: ["input", "output", "cachedInput", "reasoning"] },
      ),
    ),
    cost: fc.option(fc.record({ usd: count, from: fc.constantFrom("prices", "provider") })),
  },
  { requiredKeys: ["id", "route", "startedAt", "endedAt", "outcome", "attempts", "usage"] },
);

describe("turns that are packed into a row", () => {
  it("come out as they went in, all that is noted of them", () => {
    fc.assert(
      fc.property(fc.array(turn, { maxLength: 20 }), fc.integer({ min: 1, max: 8 }), (turns, most) => {
        const rows = packTurns(turns, most);
        expect(rows.flatMap((row) => unpackTurns(row.text))).toEqual(turns);
        expect(rows.reduce((all, row) => all + row.count, 0)).toBe(turns.length);
      }),
      { numRuns: 300 },
    );
  });

  it("take little room when they went well, whoever answered them", () => {
    const packed = new PackedTurns();
    const id = "turn_019aabcdef00000102030405060708090a0b";
    const answered = sampleTurn(id).attempts.slice(1);
    for (let n = 0; n < 64; n++) packed.add({ ...sampleTurn(id), attempts: answered, cost: null });
    expect(packed.text().length / 64).toBeLessThan(110);
  });

  it("can lose the oldest, and the others stay whole", () => {
    const packed = new PackedTurns();
    for (const id of ["1", "2", "3"]) packed.add(sampleTurn(id));
    packed.dropOldest();
    expect(unpackTurns(packed.text())).toEqual([sampleTurn("2"), sampleTurn("3")]);
  });
});
