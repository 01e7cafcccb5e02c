import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { Slots } from "../../src/core/slots.ts";

describe("slots", () => {
  it("hold whom a set would hold, and no more places than were ever needed at once", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 20 })), (steps) => {
        const slots = new Slots<{ n: number }>();
        const set = new Map<{ n: number }, number>();
        let most = 0;
        for (const [n, step] of steps.entries()) {
          const leaving = [...set.keys()][step - 10];
          if (leaving === undefined) {
            const member = { n };
            set.set(member, slots.add(member));
          } else {
            slots.remove(set.get(leaving) ?? -1);
            set.delete(leaving);
          }
          most = Math.max(most, set.size);
          expect(slots.size).toBe(set.size);
          expect(new Set(slots)).toEqual(new Set(set.keys()));
          expect(new Set(set.values()).size).toBe(set.size);
          expect([...set.values()].every((place) => place < most)).toBe(true);
        }
      }),
    );
  });
});
