import { describe, expect, it } from "vitest";
import { createGate, pauseAfter } from "../../src/stores/postgres/gate.ts";

describe("the gate before a server", () => {
  let now = 0;
  const entered = (gate: ReturnType<typeof createGate>): string => {
    try {
      gate.enter();
      return "in";
    } catch (error) {
      return String(error);
    }
  };

  it("stays open after one loss, shuts after two, and lets one look when the pause is over", () => {
    const gate = createGate(() => now);
    gate.lost("first");
    expect(entered(gate)).toBe("in");
    gate.lost("second");
    expect(entered(gate)).toBe("second");
    now += 50;
    expect([entered(gate), entered(gate)]).toEqual(["in", "second"]);
    gate.passed();
    expect([entered(gate), entered(gate)]).toEqual(["in", "in"]);
  });

  it("waits longer after each look in vain, and starts anew after an answer", () => {
    const gate = createGate(() => now);
    for (let n = 0; n < 3; n++) gate.lost("away");
    now += 50;
    expect(entered(gate)).toBe("away");
    now += 50;
    expect(entered(gate)).toBe("in");
    gate.passed();
    gate.lost("again");
    expect(entered(gate)).toBe("in");
  });

  it.each([
    [1, 0],
    [2, 50],
    [3, 100],
    [7, 1_600],
    [8, 2_000],
    [60, 2_000],
  ])("pauses after %i losses for %i ms at most, and for half of it at least", (losses, most) => {
    expect(pauseAfter(losses, () => 0)).toBe(most);
    expect(pauseAfter(losses, () => 1)).toBe(most / 2);
  });
});
