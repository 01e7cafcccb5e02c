import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { headersForCredential, openTurnState, sealTurnState, turnStateHeader } from "../../src/turn/turn-state.ts";

const id = fc.oneof(fc.string(), fc.uuid(), fc.constantFrom("a", "a.b", "env:KEY", ""));

describe("Codex's turn state", () => {
  it("comes off again for the credential that it was given to, and for no other", () => {
    fc.assert(
      fc.property(fc.string(), id, id, (value, own, other) => {
        const sealed = sealTurnState(value, own);
        expect(openTurnState(sealed, own)).toBe(value);
        if (own !== other) expect(openTurnState(sealed, other)).toBeNull();
      }),
    );
  });

  it("fits a header whatever the credential is called", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (own) => /^[\x21-\x7e]*$/.test(sealTurnState("v", own))));
  });

  it("goes to nobody when it is not of ours, and the other headers go on", () => {
    const headers = { [turnStateHeader]: "ts.from-elsewhere", "x-codex-window-id": "w" };
    expect(headersForCredential(headers, "ann")).toEqual({ "x-codex-window-id": "w" });
    const own = { ...headers, [turnStateHeader]: sealTurnState("ts.1", "ann") };
    expect(headersForCredential(own, "ann")).toEqual({ [turnStateHeader]: "ts.1", "x-codex-window-id": "w" });
    expect(headersForCredential(own, "ben")).toEqual({ "x-codex-window-id": "w" });
  });
});
