import { describe, expect, it } from "vitest";
import { createKeyCheck } from "../../src/gateway/client-key.ts";

describe("the check of a client's key", () => {
  const keys = [
    "uk-0123456789abcdef",
    "ä→ü-0123456789abcdef",
    "k".repeat(42),
    "k".repeat(126),
    "k".repeat(127),
    "→".repeat(300),
  ];

  it("takes the key and nothing that is nearly it, however long it is", () => {
    for (const key of keys) {
      const has = createKeyCheck(` ${key}\n`);
      expect(has({ authorization: `Bearer ${key}` })).toBe(true);
      expect(has({ authorization: "Bearer wrong", "x-api-key": key })).toBe(true);
      const near = [key.slice(0, -1), `${key}k`, `${key}\0`, `${key.slice(0, -1)}?`, key.toUpperCase(), "k", ...keys];
      for (const other of near.filter((one) => one !== key)) expect(has({ "x-api-key": other })).toBe(false);
      // What was looked at before stays nowhere.
      expect(has({ "x-api-key": key })).toBe(true);
      expect(has({ "x-api-key": "" })).toBe(false);
      expect(has({})).toBe(false);
    }
  });
});
