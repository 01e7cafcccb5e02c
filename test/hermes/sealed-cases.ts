import { expect } from "vitest";
import { createSealLedger, issuerName } from "../../src/turn/seals.ts";
import { http } from "./parts.ts";
import { better, notApplicable, type PeerCase, same, shownBy } from "./peer-case.ts";
import { asReasoning, body, grokLogin, inputOf, sealed, stream, text, user, xai } from "./responses-parts.ts";
import { playOnce, well } from "./theatre.ts";

const xaiLogin = "the login of xAI is left out; xAI takes a key";

/** D: what was sealed, the recovery of logins, and failures inside an answer. */
export const sealedCases: readonly PeerCase[] = [
  same(
    "D157",
    "invalid_encrypted_content with reasoning in the history",
    "again without it, and without it from then on",
    shownBy("turn/history.test.ts", "costs one refusal after a restart"),
  ),
  same("D158", "the same without reasoning in the history", "again as it was", async () =>
    expect(
      (await playOnce({ provider: "codex", pool: [{ name: "invalid-encrypted-content", times: 1 }] })).story,
    ).toEqual(["k1 invalid_encrypted_content", "k1 ok"]),
  ),
  better("D162", "the connection always breaks", "once more, then given up", async () => {
    const { asked, reading } = await playOnce({ pool: [{ name: "cut-before-headers" }] });
    expect([asked.length, reading.kind]).toEqual([3, "error"]);
  }),
  same("D164", "a stream without events", "an error", () => expect(stream()).toBe("not complete")),
  ...notApplicable(
    "messages name the cause, the login and one command for every provider; there are no hints for one of them",
    ["D165", "the words about a Grok subscription", "kept, with hints"],
    ["D166", "the same", "not accusing"],
    ["D169", "decorated twice", "the same"],
    ["D170", "500", "no hint"],
  ),
  same("D168", "an error whose message is an object", "the inner message", () =>
    expect(http(403, { error: { message: { error: { message: "inner words" } } } }).message).toContain("inner words"),
  ),
  same("D172", "out of resources, or no Grok subscription", "not tried again with this login", () =>
    expect(xai(403, grokLogin).next).toBe("next_credential"),
  ),
  same("D173", "Internal server error — try again later", "not a matter of the login", () =>
    expect(http(500, { error: "Internal server error — try again later" }, "xai").reason).toBe("server_error"),
  ),
  same("D174", "reasoning in the history", "it goes back", () =>
    expect(
      inputOf([user("x"), { role: "assistant", content: [asReasoning(sealed("a", "one")), text("hi")] }])[1],
    ).toMatchObject({ type: "reasoning" }),
  ),
  same("D176", "a request", "encrypted reasoning is asked for", () =>
    expect(body({})["include"]).toEqual(["reasoning.encrypted_content"]),
  ),
  same("D177", "reasoning of xAI", "one item", () =>
    expect(
      inputOf([user("x"), { role: "assistant", content: [asReasoning(sealed("a", "one")), text("hi")] }]).filter(
        (item) => item["type"] === "reasoning",
      ),
    ).toHaveLength(1),
  ),
  same("D178", "gpt-5-codex", "one item, and include", () =>
    expect(body({}, "gpt-5-codex")["include"]).toEqual(["reasoning.encrypted_content"]),
  ),
  better("D181", "those words under 500, 429, 200", "no entitlement", () =>
    expect([500, 429, 200].map((status) => xai(status, grokLogin).reason)).toEqual([
      "server_error",
      "rate_limit",
      "entitlement",
    ]),
  ),
  same("D182", "401: an invalid key, an expired token, nothing", "no entitlement", () => {
    for (const words of [{ error: "invalid api key" }, { error: "token expired" }, {}])
      expect(http(401, words, "xai").reason).toBe("auth");
  }),
  ...notApplicable(xaiLogin, ["D184", "403 Forbidden of its login", "no refresh"]),
  same(
    "D185",
    "401 of a login",
    "one refresh",
    shownBy("turn/turn.test.ts", "a 401 refreshes and goes on with the same login"),
  ),
  same("D186", "the permission text with a code for bad credentials", "no entitlement", () =>
    expect(xai(403, "x [WKE=unauthenticated:bad-credentials]").reason).toBe("auth"),
  ),
  same("D188–191", "four such codes", "no entitlement", () => {
    for (const code of ["bad-credentials", "expired-token", "revoked", "unknown"]) {
      expect(xai(403, `${grokLogin} [WKE=unauthenticated:${code}]`).reason).toBe("auth");
    }
  }),
  same("D192", "OAuth2 access token could not be validated", "no entitlement", () =>
    expect(xai(403, "OAuth2 access token could not be validated").reason).toBe("auth"),
  ),
  same("D193", "the subscription's words and such a code", "no entitlement", () =>
    expect(xai(403, `${grokLogin} [WKE=unauthenticated:expired-token]`).reason).toBe("auth"),
  ),
  same("D194", "the code in lower case", "the same", () =>
    expect(xai(403, `${grokLogin} [wke=unauthenticated:revoked]`).reason).toBe("auth"),
  ),
  same("D196", "a true lack of entitlement", "no refresh", () =>
    expect(xai(403, grokLogin)).toMatchObject({ reason: "entitlement", next: "next_credential" }),
  ),
  ...notApplicable("no table of context lengths is kept", ["D197–199", "three Grok models", "their lengths"]),
  same("D200", "reasoning of xAI, now Codex", "left out", () => {
    const ledger = createSealLedger();
    ledger.made(["a-seal-of-more-than-16"], issuerName("xai", "grok-4.3"));
    expect(ledger.isForeign("a-seal-of-more-than-16", issuerName("codex", "gpt-5.5"))).toBe(true);
  }),
  same("D201", "reasoning of xAI, still xAI", "kept", () => {
    const ledger = createSealLedger();
    ledger.made(["a-seal-of-more-than-16"], issuerName("xai", "grok-4.3"));
    expect(ledger.isForeign("a-seal-of-more-than-16", issuerName("xai", "grok-4.3"))).toBe(false);
  }),
  same("D202", "reasoning of unknown origin", "sent", () =>
    expect(createSealLedger().isForeign("a-seal-of-more-than-16", issuerName("codex", "m"))).toBe(false),
  ),
  same(
    "D204",
    "from one to the other",
    "nothing foreign",
    shownBy("turn/history.test.ts", "comes back to who made it"),
  ),
  better("D205–212", "eight texts about money and quota in a failed response", "an unpaid bill", () => {
    const texts = {
      "Insufficient quota for this model": "billing",
      "Your credits have been exhausted": "billing",
      "Billing hard limit reached": "billing",
      "Payment required to continue": "billing",
      "Account is deactivated due to billing": "billing",
      "Plan does not include this model": "entitlement",
      "Exceeded your current quota": "billing",
      "You have exceeded the usage limit": "quota",
    };
    for (const [words, reason] of Object.entries(texts)) {
      expect([words, http(200, { error: { message: words } })]).toMatchObject([
        words,
        { reason, next: "next_credential" },
      ]);
    }
  }),
  same("D213–218", "six texts about limits in a failed response", "a rate limit", () => {
    const texts = [
      "Rate limit exceeded",
      "rate_limit hit",
      "Too many requests, please slow down",
      "You are being throttled",
      "Try again in 30 seconds",
      "Please retry after cooldown",
    ];
    for (const words of texts)
      expect([words, http(200, { error: { message: words } }).reason]).toEqual([words, "rate_limit"]);
  }),
  same("D224", "failed for want of money, two keys", "one mark, the other key, answered", async () =>
    expect(await playOnce({ pool: [{ name: "soft-quota" }, well] })).toMatchObject({
      story: ["k1 billing", "k2 ok"],
      cooldowns: [{}],
    }),
  ),
  better("D225", "failed for a rate limit, the first time", "the same key again", async () =>
    expect((await playOnce({ pool: [{ name: "soft-burst-limit", times: 1 }, well] })).asked).toEqual(["k1", "k2"]),
  ),
  same("D226", "the second time", "the other key", async () =>
    expect((await playOnce({ pool: [{ name: "soft-burst-limit" }, well] })).story.at(-1)).toBe("k2 ok"),
  ),
  same("D228", "failed for its content", "the pool is not touched", async () =>
    expect(await playOnce({ pool: [{ name: "soft-content-policy" }, well] })).toMatchObject({
      asked: ["k1"],
      cooldowns: [],
    }),
  ),
  same("D229", "nobody left in the pool", "the fallback", async () =>
    expect((await playOnce({ pool: [{ name: "soft-quota" }], chain: [well] })).asked).toEqual(["k1", "t2"]),
  ),
  better("D230", "another protocol", "not looked at", async () =>
    expect(
      (await playOnce({ provider: "anthropic", pool: [{ name: "overloaded-in-stream" }], chain: [well] })).story,
    ).toEqual(["k1 overloaded", "t2 ok"]),
  ),
  same("D232", "400 without more", "a malformed request", () =>
    expect(http(400, { error: { message: "bad" } }).reason).toBe("invalid_request"),
  ),
  same("D233", "403: model access is disabled", "this model of this key", () =>
    expect(http(403, { error: { message: "Model access is disabled" } }, "opencode-zen")).toMatchObject({
      reason: "entitlement",
      scope: "credential_model",
    }),
  ),
];
