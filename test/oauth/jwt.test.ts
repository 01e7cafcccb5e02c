import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readExpiry, readJwtClaims } from "../../src/oauth/jwt.ts";
import { jwt } from "./rig.ts";

const payload = (text: string): string => `h.${Buffer.from(text).toString("base64url")}.s`;

describe("readJwtClaims", () => {
  it("reads the claims of any object", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue()), (claims) => {
        expect(readJwtClaims(jwt(claims))).toEqual(JSON.parse(JSON.stringify(claims)));
      }),
    );
  });

  it.each([
    ["an opaque token", "rt_abcdef"],
    ["nothing", ""],
    ["two parts", "a.b"],
    ["four parts", `${jwt({ a: 1 })}.x`],
    ["an empty first part", jwt({ a: 1 }).replace(/^[^.]+/, "")],
    ["an empty last part", jwt({ a: 1 }).replace(/[^.]+$/, "")],
    ["an empty middle part", "a..c"],
    ["characters outside the alphabet", "a.{}.c"],
    ["padding", `h.${Buffer.from('{"a":1}').toString("base64")}.s`],
    ["JSON that broke off", payload('{"a":1')],
    ["a list", payload("[1]")],
    ["a string", payload('"a"')],
    ["null", payload("null")],
    ["bytes that are no text", `h.${Buffer.from('{"a":"\xff"}', "latin1").toString("base64url")}.s`],
    ["a length that no base64 has", "h.AAAAA.s"],
  ])("gives null for %s", (_, token) => {
    expect(readJwtClaims(token)).toBeNull();
  });

  it("never throws", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.tuple(fc.string(), fc.string(), fc.string()).map((p) => p.join(".")),
        ),
        (t) => {
          readJwtClaims(t);
        },
      ),
    );
  });
});

describe("readExpiry", () => {
  it.each<[string, Record<string, unknown>, number | null]>([
    ["a number", { exp: 1_800_000_000 }, 1_800_000_000_000],
    ["a number with a fraction", { exp: 1_800_000_000.5 }, 1_800_000_000_500],
    ["a string", { exp: "1800000000" }, null],
    ["null", { exp: null }, null],
    ["nothing", {}, null],
  ])("reads an exp that is %s", (_, claims, expected) => {
    expect(readExpiry(jwt(claims))).toBe(expected);
  });

  it("gives null for an opaque token", () => {
    expect(readExpiry("opaque")).toBeNull();
  });
});
