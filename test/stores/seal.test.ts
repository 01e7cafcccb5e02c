import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSealer, formatKey, parseKey, SealError } from "../../src/stores/seal.ts";
import { testKey } from "./test-key.ts";

describe("createSealer", () => {
  const sealer = createSealer(testKey);

  it("opens what it sealed, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(sealer.open(sealer.seal(text, "c1", "secret"), "c1", "secret")).toBe(text);
      }),
    );
  });

  it("never seals the same text to the same bytes, and shows nothing of it", () => {
    const [first, second] = [sealer.seal("sk-secret", "c1", "secret"), sealer.seal("sk-secret", "c1", "secret")];
    expect(Buffer.from(first).equals(second)).toBe(false);
    expect(Buffer.from(first).includes("sk-secret")).toBe(false);
  });

  it.each([
    ["another credential", "c2", "secret"],
    ["another field", "c1", "access_token"],
    ["a place whose parts join to the same text", "c1\0s", "ecret"],
  ])("does not open at %s", (_, id, field) => {
    const sealed = sealer.seal("sk-secret", "c1", "secret");
    expect(() => sealer.open(sealed, id, field)).toThrow(SealError);
  });

  it("does not open with another key", () => {
    const sealed = sealer.seal("sk-secret", "c1", "secret");
    expect(() => createSealer(randomBytes(32)).open(sealed, "c1", "secret")).toThrow(SealError);
  });

  it("does not open when any byte was changed or any were cut off", () => {
    const sealed = sealer.seal("sk-secret", "c1", "secret");
    for (let at = 0; at < sealed.length; at++) {
      const changed = Uint8Array.from(sealed, (byte, index) => (index === at ? byte ^ 1 : byte));
      expect(() => sealer.open(changed, "c1", "secret")).toThrow(SealError);
      expect(() => sealer.open(sealed.subarray(0, at), "c1", "secret")).toThrow(SealError);
    }
  });

  it("refuses a key of another length", () => {
    expect(() => createSealer(new Uint8Array(16))).toThrow(RangeError);
  });
});

describe("parseKey", () => {
  const key = Uint8Array.from({ length: 32 }, (_, n) => 255 - n);

  it.each([
    ["base64", Buffer.from(key).toString("base64")],
    ["base64 without padding", Buffer.from(key).toString("base64").replace("=", "")],
    ["base64url", Buffer.from(key).toString("base64url")],
    ["hex", Buffer.from(key).toString("hex")],
    ["upper-case hex with a line break", `${Buffer.from(key).toString("hex").toUpperCase()}\n`],
    ["its own form", formatKey(key)],
  ])("reads %s", (_, text) => {
    expect(parseKey(text)).toEqual(Buffer.from(key));
  });

  it.each([
    ["nothing", ""],
    ["a password", "correct horse battery staple"],
    ["16 bytes of hex", "00".repeat(16)],
    ["33 bytes of base64", Buffer.alloc(33).toString("base64")],
    ["31 bytes of base64", Buffer.alloc(31).toString("base64")],
    ["hex with a foreign letter", `${"00".repeat(31)}0g`],
  ])("reads no key from %s", (_, text) => {
    expect(parseKey(text)).toBeNull();
  });
});
