import { describe, expect, it } from "vitest";
import type { TurnEvent } from "../../src/core/events.ts";
import { createTurnIds } from "../../src/platform/turn-ids.ts";
import { environmentCredentials } from "../../src/providers/environment.ts";
import { builtInProviders } from "../../src/providers/registry.ts";
import { TurnObservers } from "../../src/turn/turn-observers.ts";
import { UnstoredKeys } from "../../src/turn/unstored-keys.ts";

describe("the ids of turns", () => {
  it("are all different, of one shape, and grow with the time", () => {
    let now = 1_790_000_000_000;
    const next = createTurnIds({ now: () => now++, sleep: () => Promise.resolve() });
    const ids = Array.from({ length: 1_000 }, next);
    expect(new Set(ids.map((id) => id.slice(17))).size).toBe(1_000);
    expect(ids.filter((id) => !/^turn_[\da-f]{32}$/.test(id))).toEqual([]);
    expect(ids.toSorted()).toEqual(ids);
  });
});

describe("the keys of the environment", () => {
  it("are the same objects until one of them is used or replaced", () => {
    const found = environmentCredentials(builtInProviders, { XAI_API_KEY: "xai-0123456789" }, () => "0123456789");
    const keys = new UnstoredKeys(found);
    const [before] = keys.of("xai");
    expect(keys.of("xai")[0]).toBe(before);
    expect(keys.of("openai")).toEqual([]);
    keys.used(before?.id ?? "", 7);
    expect(keys.of("xai")).toEqual([{ ...before, uses: 1, lastUsedAt: 7 }]);
    keys.replace([]);
    expect(keys.of("xai")).toEqual([]);
    keys.replace(found);
    expect(keys.of("xai")).toMatchObject([{ uses: 1 }]);
  });
});

describe("those who watch turns", () => {
  const event: TurnEvent = { type: "turn-start", turnId: "t", route: "r", at: 1 };

  it("are told each by what they gave for this turn, until they leave", () => {
    const observers = new TurnObservers();
    const told: string[] = [];
    const leave = observers.add(() => () => told.push("one"));
    observers.begin()(event);
    observers.add(() => null);
    observers.add(() => () => told.push("two"));
    const begun = observers.begin();
    leave();
    begun(event);
    observers.begin()(event);
    expect(told).toEqual(["one", "one", "two", "two"]);
  });
});
