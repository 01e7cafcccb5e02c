import { describe, expect, it } from "vitest";
import { Secret } from "../../../src/core/secret.ts";
import { isFedrampAccount, readCodexAccount } from "../../../src/oauth/codex/identity.ts";
import { readOidcAccount } from "../../../src/oauth/oidc-identity.ts";
import { jwt } from "../rig.ts";

const auth = "https://api.openai.com/auth";
const profile = "https://api.openai.com/profile";
const token = (claims: Record<string, unknown>): Secret => new Secret(jwt(claims));
const opaque = new Secret("opaque");

describe("readCodexAccount", () => {
  it("reads everything from the id token", () => {
    const id = token({
      email: "ada@example.com",
      sub: "s",
      [auth]: { chatgpt_account_id: "acc", chatgpt_user_id: "user", chatgpt_plan_type: "pro" },
    });
    expect(readCodexAccount(id, opaque)).toEqual({ id: "acc", userId: "user", email: "ada@example.com", plan: "pro" });
  });

  it("falls back from one claim to the next", () => {
    const id = token({ sub: "s", [auth]: { user_id: "u" }, [profile]: { email: "p@example.com" } });
    expect(readCodexAccount(id, opaque)).toEqual({ id: null, userId: "u", email: "p@example.com", plan: null });
    expect(readCodexAccount(token({ sub: "s" }), opaque).userId).toBe("s");
  });

  it("takes from the access token what the id token does not say", () => {
    const access = token({
      [auth]: { chatgpt_account_id: "acc-2", chatgpt_plan_type: "plus" },
      [profile]: { email: "b@b" },
    });
    expect(readCodexAccount(null, access)).toEqual({ id: "acc-2", userId: null, email: "b@b", plan: "plus" });
    const id = token({ email: "a@a", [auth]: { chatgpt_account_id: "acc-1" } });
    expect(readCodexAccount(id, access)).toEqual({ id: "acc-1", userId: null, email: "a@a", plan: "plus" });
  });

  it.each([
    ["opaque tokens", opaque],
    ["claims of other types", token({ email: 7, sub: null, [auth]: "x", [profile]: ["y"] })],
    ["blank claims", token({ email: " ", sub: "", [auth]: { chatgpt_account_id: "\t", user_id: "" } })],
  ])("knows nothing from %s", (_, id) => {
    expect(readCodexAccount(id, opaque)).toEqual({ id: null, userId: null, email: null, plan: null });
  });

  it.each(["a\u001b[8m@b", "a@b\nSigned in: codex", "a\u202eb", "\u009b31m"])("shows nobody the claim %j", (text) => {
    const id = token({ email: text, sub: "s", [auth]: { chatgpt_plan_type: text } });
    expect(readCodexAccount(id, opaque)).toEqual({ id: null, userId: "s", email: null, plan: null });
    expect(readOidcAccount("https://issuer.test", token({ sub: "s", preferred_username: text })).email).toBeNull();
  });

  it("keeps a plan that it does not know", () => {
    expect(readCodexAccount(token({ [auth]: { chatgpt_plan_type: "ent26" } }), opaque).plan).toBe("ent26");
  });
});

describe("isFedrampAccount", () => {
  it("is true only for the claim true, in either token", () => {
    const flagged = token({ [auth]: { chatgpt_account_is_fedramp: true } });
    expect(isFedrampAccount(flagged, opaque)).toBe(true);
    expect(isFedrampAccount(null, flagged)).toBe(true);
    expect(isFedrampAccount(token({ [auth]: { chatgpt_account_is_fedramp: "true" } }), opaque)).toBe(false);
    expect(isFedrampAccount(null, opaque)).toBe(false);
  });
});
