import { expect } from "vitest";
import { backoffDelay } from "../../src/core/backoff.ts";
import { defaultCooldownsMs } from "../../src/core/cooldown.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { builtInProviders } from "../../src/providers/registry.ts";
import { decided, failure, http, key, now, rest, second, usable } from "./parts.ts";
import { better, notApplicable, type PeerCase, same, shownBy } from "./peer-case.ts";
import { play, playOnce, well } from "./theatre.ts";

const plan = { name: "quota-exhausted" } as const;
const overload = { name: "overloaded" } as const;
const burst = (retryAfterS: number) => ({ name: "burst-limit", retryAfterS }) as const;
const dead = { name: "unauthorized" } as const;

/** The routes of a configuration, or what is wrong with it. */
function routes(text: string): readonly (readonly string[])[] | string {
  const parsed = parseConfig(text, "config.yaml");
  if (!parsed.ok) return parsed.problems.map(({ message }) => message).join("\n");
  const resolved = resolveConfig(parsed.config, builtInProviders, {});
  return resolved.routes.map(({ targets }) => targets.map(({ provider, model }) => `${provider}/${model}`));
}

/** What a failure with these words asks for. */
const asked = (status: number, message: string): string => http(status, { error: { message } }).next;

const perTurn =
  "a route is chosen for each turn: there is no agent whose model, client or pool is switched and restored";
const ownsContext =
  "the caller owns the conversation and its compression; it is told context_overflow or payload_too_large";
const imageWork = "the request is left as the caller wrote it; what this model can't see goes on to one that can (C41)";
const source = "asserts how the peer's own source is written";
const display = "counters of x-ratelimit headers are not kept or shown; when a limit lifts is read from them";

/** C: recovery, fallback, return to the primary, the retry loop. */
export const recoveryCases: readonly PeerCase[] = [
  same(
    "C1",
    "on the fallback; the primary's first key has failed, its second is current",
    "back at the primary with the second key",
    async () => {
      const [, next] = await play({ pool: [plan, well], chain: [well], turns: 2 });
      expect(next?.story).toEqual(["k2 ok"]);
    },
  ),
  same("C2", "the first of three keys exhausted", "the second serves", async () => {
    const [, next] = await play({ pool: [plan, well, well], turns: 2 });
    expect(next?.story).toEqual(["k2 ok"]);
  }),
  better("C4", "the primary's only key is exhausted", "the turn begins with it all the same", async () => {
    const [, next] = await play({ pool: [plan], chain: [well], turns: 2 });
    expect(next?.story).toEqual(["t2 ok"]);
  }),
  ...notApplicable(perTurn, ["C5", "a key is re-selected", "the client is rebuilt exactly once"]),
  same("C6", "a key that is empty", "it is passed over", async () => {
    const source = { from: "env", name: "A_VARIABLE_THAT_IS_NOT_SET" } as const;
    const [played] = await play({
      pool: [well],
      before: async ({ workspace: { store } }) => {
        const { id } = await store.addApiKey({ provider: "openai", label: "empty", source, at: now });
        await store.updateCredential(id, { priority: -1 });
      },
      after: async ({ workspace: { store } }) => {
        for (const { id, label } of await store.listCredentials("openai"))
          if (label === "empty") await store.removeCredential(id);
      },
    });
    expect([played?.story, played?.asked]).toEqual([["empty auth", "k1 ok"], ["k1"]]);
  }),
  better("C8", "a chain of two is used up without a limit", "the primary rests 5 s", async () => {
    const [first] = await play({ pool: [overload], chain: [overload, overload] });
    expect(first?.reading.kind).toBe("error");
    expect(first?.cooldowns.map(({ until, since }) => until - since)).toEqual([30, 30, 30].map((one) => one * second));
  }),
  better("C9", "no chain, the primary fails", "no rest", async () => {
    const [first] = await play({ pool: [burst(60)] });
    expect(first?.cooldowns.length).toBe(1);
  }),
  better("C10", "a chain of one, a rate limit", "the primary rests 60 s", async () => {
    const [first] = await play({ pool: [burst(90)], chain: [well] });
    expect(first?.cooldowns.map(({ until, since }) => until - since)).toEqual([90 * second]);
  }),
  same("C12", "the chain was used up, then the primary recovered", "the chain is there again", async () => {
    const played = await play({
      pool: [{ ...overload, times: 1 }],
      chain: [well],
      turns: 3,
      before: async (stage, turn) => {
        if (turn > 0) await stage.clock.advance(40 * second);
        if (turn === 2) stage.simulator.openai.script(overload, { for: stage.nameOf("k1"), times: 9 });
      },
    });
    expect(played.map(({ story }) => story.at(-1))).toEqual(["t2 ok", "k1 ok", "t2 ok"]);
  }),
  ...notApplicable(
    "each turn walks the line anew: there is no index or flag that one call leaves to the next",
    ["C13", "the chain's index is at its end", "closed before the reset, open after"],
    ["C14", "the primary was recovered once", "its flags are reset"],
    ["C16", "index 0", "unchanged"],
  ),
  ...notApplicable(
    ownsContext,
    ["C17", "a compression engine with fewer arguments", "it is called without them"],
    ["C18", "a switch to another model", "the compressor gets its limits"],
  ),
  same("C20", "a switch to another provider", "the primary's pool stays behind", async () => {
    const { asked: seen, cooldowns } = await playOnce({ pool: [plan], chain: [dead, well] });
    expect(seen).toEqual(["k1", "t2", "t3"]);
    expect(cooldowns.map(({ provider }) => provider).sort()).toEqual(["anthropic", "openai"]);
  }),
  same("C21", "a fallback of the same provider", "the pool stays", () => {
    const rested = rest(failure("entitlement", "next_credential", { scope: "credential_model" }), "a");
    expect(usable([key("a"), key("b")], [{ ...rested, model: "another" }])).toEqual(["a", "b"]);
  }),
  same("C22", "a switch to a provider with a pool", "its pool, URL and protocol", async () => {
    const { reply, reading } = await playOnce({ provider: "local", pool: [plan], chain: [well] });
    expect(reply.headers["x-understudy-served-by"]).toBe("openai/gpt-5.5/t2");
    expect(reading.text).toBe("from t2");
  }),
  same("C24", "the pool belongs to who serves", "it is walked", async () =>
    expect((await playOnce({ pool: [plan, plan, well] })).asked).toEqual(["k1", "k2", "k3"]),
  ),
  same("C25", "429 of one provider, the pool of another", "nothing is marked", async () => {
    const { cooldowns } = await playOnce({ provider: "local", pool: [burst(60)], chain: [well] });
    expect(cooldowns.map(({ provider }) => provider)).toEqual(["local"]);
  }),
  same("C26", "after a switch", "requests go to the fallback's URL", async () =>
    expect((await playOnce({ pool: [overload], chain: [well] })).asked).toEqual(["k1", "t2"]),
  ),
  ...notApplicable(
    imageWork,
    ["C28", "no images", "nothing is stripped"],
    ["C29", "text content", "untouched"],
    ["C30", "text and image", "only the text is left"],
    ["C32", "a tool message of an image", "a sentence in its place"],
    ["C33", "a tool message of both", "the text is left"],
    ["C34", "a message of an image alone", "it is dropped"],
    ["C36", "nothing changed", "says so"],
    ["C37", "entries that are no messages", "no crash"],
  ),
  same("C38", "an image is too large", "not taken for a model that can't see", () => {
    for (const words of ["image exceeds 5 MB maximum", "image dimensions exceed max allowed size: 8000 pixels"]) {
      expect(http(400, { error: { message: words } }).reason).toBe("payload_too_large");
    }
  }),
  same("C40", "words of rate limits and quotas", "not taken for that either", () => {
    for (const words of ["Rate limit reached for requests", "You exceeded your current quota"]) {
      expect(http(429, { error: { message: words } }).next).toBe("next_credential");
    }
  }),
  better("C41", "seven ways to say that a model can't see", "the images are stripped, the same model again", () => {
    const ways = [
      "Only 'text' content type is supported.",
      "multimodal is not supported",
      "This model does not support images",
      "vision is not supported",
      "model does not support image input",
      "Invalid 'input[56].content[1].image_url'. Expected a valid URL, but got a value with an invalid format.",
    ];
    for (const words of ways) expect([words, asked(400, words)]).toEqual([words, "next_target"]);
    expect(asked(404, "No endpoints found that support image input")).toBe("next_target");
  }),
  same("C42", "OpenRouter's words about a data policy", "not taken for that", () => {
    const words = "No endpoints available matching your guardrail restrictions and data policy.";
    expect(http(404, { error: { message: words } }, "openrouter").reason).toBe("entitlement");
  }),
  same("C44", "the primary has no credential, the chain does", "the fallback serves", async () =>
    expect((await playOnce({ pool: [], chain: [well] })).story).toEqual(["t2 ok"]),
  ),
  same(
    "C45",
    "no credential and no chain",
    "an error that says so",
    shownBy("cli/ask.test.ts", "ends with 3 when only a person can help"),
  ),
  ...notApplicable(
    "the breaker for the Nous Portal belongs to a login that is left out",
    ["C46", "a genuine limit at the last try", "the loop runs again"],
    ["C48", "the source of that branch", "does not end the loop"],
  ),
  same("C49", "a target whose login is missing, then one that is there", "the second", async () => {
    const { story, reading } = await playOnce({ provider: "codex", pool: [], chain: [well] });
    expect([story, reading.kind]).toEqual([["t2 ok"], "answer"]);
  }),
  ...notApplicable(perTurn, ["C50", "the same", "remembered for the session"]),
  same("C52", "no chain", "nobody behind the primary", () =>
    expect(routes("routes: { r: [codex/a] }")).toEqual([["codex/a"]]),
  ),
  better("C53", "the chain is one map", "a chain of one", () =>
    expect(routes("routes: { r: { target: codex/a } }")).toMatch(/targets/),
  ),
  same("C54", "a chain of two", "both, in order", () =>
    expect(
      routes(
        "routes: { r: [codex/a, openai/b, local/c] }\nproviders: { local: { protocol: responses, baseUrl: http://127.0.0.1:1 } }",
      ),
    ).toEqual([["codex/a", "openai/b", "local/c"]]),
  ),
  better("C56", "an empty list", "an empty chain", () =>
    expect(routes("routes: { r: [] }")).toMatch(/at least one target/),
  ),
  better("C57", "an entry without a provider", "it is dropped", () =>
    expect(routes("routes: { r: [codex/a, gpt-5.5] }")).toMatch(/provider\/model/),
  ),
  same("C58", "nobody is left", "no fallback", () =>
    expect(decided(failure("quota", "next_credential"))).toBe("give_up"),
  ),
  same("C60", "two fallbacks, the first fails too", "the second", async () =>
    expect((await playOnce({ pool: [plan], chain: [plan, well] })).asked).toEqual(["k1", "t2", "t3"]),
  ),
  same("C61", "a chain of one, used twice", "the second time nobody", async () =>
    expect((await playOnce({ pool: [plan], chain: [plan] })).reading.kind).toBe("error"),
  ),
  same(
    "C62",
    "a fallback that is not configured, then one that is",
    "the second",
    shownBy("turn/turn.test.ts", "for want of a base URL is passed over"),
  ),
  same(
    "C64",
    "a fallback with its key in a variable",
    "it gets that key",
    shownBy("config/resolve.test.ts", "reads the variable a person named"),
  ),
  better("C65", "a custom provider at api.anthropic.com", "Messages, by its host", () =>
    expect(routes("providers: { mine: { baseUrl: https://api.anthropic.com } }")).toMatch(
      /protocol: missing; expected protocol and baseUrl/,
    ),
  ),
  same("C66", "no pool", "nothing to rotate to", () =>
    expect(decided(failure("quota", "next_credential"), { othersLeft: 1 })).toBe("next_target"),
  ),
  same("C68", "a pool of one, resting", "nothing to rotate to", () =>
    expect(usable([key("a")], [rest(failure("quota", "next_credential"), "a")])).toEqual([]),
  ),
  same("C69", "a pool of two", "rotation", () =>
    expect(decided(failure("quota", "next_credential"), { credentialsLeft: 1, othersLeft: 1 })).toBe("next_credential"),
  ),
  same("C70", "a pool of three, all resting", "nothing to rotate to", () => {
    const pool = ["a", "b", "c"].map((id) => key(id));
    expect(
      usable(
        pool,
        pool.map(({ id }) => rest(failure("quota", "next_credential"), id)),
      ),
    ).toEqual([]);
  }),
  better("C72", "the chain names the primary again", "that entry is passed over", () =>
    expect(routes("routes: { r: [codex/a, codex/a] }")).toMatch(/each target once/),
  ),
  ...notApplicable(
    "a target is provider and model; one address under two names is two providers of a person's own making",
    ["C73", "another name for the same URL and model", "passed over"],
  ),
  better("C74", "the chain names nobody else", "no fallback", () =>
    expect(routes("routes: { r: [codex/a, openai-codex/a] }")).toMatch(/each target once/),
  ),
  ...notApplicable(
    perTurn,
    ["C76", "a switch of the model with an empty chain", "stays empty"],
    ["C77", "attributes are missing", "empty"],
    ["C78", "another model of the same provider", "the chain stays"],
    ["C80", "the start", "the compressor's numbers are kept"],
    ["C81", "an agent over Messages", "its client is kept"],
    ["C82", "another agent", "no such client"],
  ),
  same("C84", "a turn on the fallback, then the next one", "the primary again", async () => {
    const [first, next] = await play({ pool: [{ ...overload, times: 1 }], chain: [well], turns: 2, before: skip(40) });
    expect([first?.story.at(-1), next?.story]).toEqual(["t2 ok", ["k1 ok"]]);
  }),
  same("C85", "two fallbacks were used", "the next turn begins at the front", async () => {
    const [, next] = await play({
      pool: [{ ...overload, times: 1 }],
      chain: [{ ...overload }, well],
      turns: 2,
      before: skip(40),
    });
    expect(next?.story).toEqual(["k1 ok"]);
  }),
  ...notApplicable(ownsContext, ["C86", "the compressor was changed on the fallback", "back to its numbers"]),
  same("C88", "another provider's pool is attached", "the primary keeps its URL", async () => {
    const [, next] = await play({
      provider: "local",
      pool: [{ ...overload, times: 1 }],
      chain: [well],
      turns: 2,
      before: skip(40),
    });
    expect(next?.asked).toEqual(["k1"]);
  }),
  same("C89", "the primary is OpenAI, the fallback's pool another's", "OpenAI's URL", async () => {
    const [, next] = await play({ pool: [{ ...overload, times: 1 }], chain: [well], turns: 2, before: skip(40) });
    expect(next?.reply.headers["x-understudy-served-by"]).toBe("openai/gpt-5.5/k1");
  }),
  same("C90", "a custom provider's own pool", "it is used", async () =>
    expect((await playOnce({ provider: "local", pool: [plan, well] })).asked).toEqual(["k1", "k2"]),
  ),
  ...notApplicable(perTurn, ["C92", "building the client throws", "the restore fails quietly"]),
  better(
    "C93–97",
    "five kinds of time-outs and broken connections at the last try",
    "a new client, the same provider once more",
    async () => {
      const silent = await playOnce({ pool: [{ name: "silence" }], chain: [well] });
      expect(silent.asked).toEqual(["k1", "t2"]);
      const broken = await playOnce({ pool: [{ name: "cut-before-headers" }], chain: [well] });
      expect(broken.asked).toEqual(["k1", "k1", "k1", "t2"]);
    },
  ),
  ...notApplicable(
    "there is no extra recovery of a client, so nobody is exempt from it; every provider gets the same retries",
    ["C98", "on a fallback already", "no recovery"],
    ["C100", "OpenRouter", "no recovery"],
    ["C101", "Nous", "no recovery"],
    ["C102", "Anthropic", "recovery"],
    ["C106", "a recovery", "the old client is closed"],
  ),
  better("C104", "the third retry", "6 s of waiting", () =>
    expect(backoffDelay({ baseMs: 1_000, capMs: 8_000 }, 2, () => 0.5)).toBe(2_000),
  ),
  same("C105", "the tenth retry", "8 s and no more", () =>
    expect(backoffDelay({ baseMs: 1_000, capMs: 8_000 }, 10, () => 1)).toBe(8_000),
  ),
  same("C108", "a turn begins", "back at the primary", async () => {
    const [, next] = await play({ pool: [{ ...overload, times: 1 }], chain: [well], turns: 2, before: skip(40) });
    expect(next?.story).toEqual(["k1 ok"]);
  }),
  same("C109", "a full round", "fallback, then the primary", async () => {
    const played = await play({ pool: [{ ...overload, times: 1 }], chain: [well], turns: 2, before: skip(40) });
    expect(played.map(({ asked: seen }) => seen.at(-1))).toEqual(["t2", "k1"]);
  }),
  same("C110", "the primary rests for another minute", "the fallback serves, the primary is not asked", async () => {
    const [, next] = await play({ pool: [burst(60)], chain: [well], turns: 2 });
    expect(next?.story).toEqual(["t2 ok"]);
  }),
  same("C112", "a fallback because of a rate limit", "the primary rests for about a minute", () =>
    expect(rest(http(429, {}, "p", { "retry-after": "60" }), "a").until - now).toBe(60 * second),
  ),
  same("C113", "a limit while on the fallback", "the primary's rest is not prolonged", async () => {
    const played = await play({ pool: [burst(90)], chain: [burst(60), well], turns: 2 });
    const ends = played.map(({ cooldowns }) => cooldowns.find(({ provider }) => provider === "openai")?.until);
    expect(ends[0]).toBe(ends[1]);
  }),
  same("C114", "401: the key is invalid, blocked or out of funds", "a matter of the login", () =>
    expect(http(401, { error: { message: "API key is invalid, blocked or out of funds" } }).reason).toBe("auth"),
  ),
  same("C116", "500", "not a matter of the login", () => expect(http(500, {}).reason).toBe("server_error")),
  ...notApplicable("what is done about a refused login is decided from what is left, not from a flag", [
    "C117",
    "a new turn",
    "the flag is not set",
  ]),
  same("C118", "401 and a chain", "the next one", async () =>
    expect((await playOnce({ pool: [dead], chain: [well] })).story).toEqual(["k1 auth", "t2 ok"]),
  ),
  same("C120", "the same again", "not twice for one login", async () =>
    expect((await playOnce({ provider: "codex", pool: [dead], chain: [well] })).story).toEqual([
      "k1 auth",
      "k1 auth",
      "t2 ok",
    ]),
  ),
  same("C121", "500", "not this way", () => expect(decided(http(500, {}), { othersLeft: 1 })).toBe("retry")),
  better("C122", "an unpaid bill", "the turn is ended", async () =>
    expect((await playOnce({ pool: [{ name: "billing" }], chain: [well] })).story).toEqual(["k1 billing", "t2 ok"]),
  ),
  same(
    "C124",
    "the request can't even be written",
    "the turn is ended",
    shownBy("gateway/hostile.test.ts", "is told apart from one without a model"),
  ),
  better("C125", "the conversation is too long", "it is compressed, the same model again", async () => {
    const { story, reading } = await playOnce({ pool: [{ name: "context-overflow" }], chain: [well] });
    expect([story, reading.kind]).toEqual([["k1 context_overflow"], "error"]);
  }),
  ...notApplicable(source, ["C126", "the set of reasons that go on", "holds rate_limit and not billing"]),
  better("C128", "429, the key is well, the first time", "the same key again", async () =>
    expect((await playOnce({ pool: [{ ...burst(60), times: 1 }, well] })).asked).toEqual(["k1", "k2"]),
  ),
  same("C129", "429, the second time", "one mark, the next key", async () => {
    const { cooldowns, story } = await playOnce({ pool: [burst(60), well] });
    expect([cooldowns.length, story.at(-1)]).toEqual([1, "k2 ok"]);
  }),
  ...notApplicable(
    "what happens is told as events at once; nothing is buffered, replayed or dropped",
    ["C130", "two lines are buffered", "shown in order at the flush"],
    ["C132", "a log prefix", "it is kept"],
    ["C133", "nothing buffered", "nothing shown"],
    ["C134", "flushed twice", "each line once"],
    ["C136", "the sink throws", "the others are still shown"],
  ),
  better("C137", "api_max_retries unset", "3 tries", () => {
    const left = [0, 1, 2].map((retriesOnTarget) => decided(http(500, {}), { retriesOnTarget, othersLeft: 1 }));
    expect(left).toEqual(["retry", "retry", "next_target"]);
  }),
  ...["C138", "C140"].map((id) =>
    better(id, id === "C138" ? "1 or 5" : "no number", id === "C138" ? "1 or 5 tries" : "3 tries", () =>
      expect(routes("limits: { maxRetries: 5 }")).toMatch(/limits\.maxRetries: can't be a key here/),
    ),
  ),
  ...notApplicable(
    perTurn,
    ["C141", "a switch to another provider", "its pool is loaded once"],
    ["C142", "the same provider", "the pool stays"],
    ["C144", "429 after the switch", "the new pool is asked"],
    ["C145", "loading fails", "the switch succeeds"],
  ),
  ...notApplicable("Google's login and its cloudcode address are left out", [
    "C146",
    "three keys at cloudcode-pa",
    "no rotation",
  ]),
  same("C148", "three keys at OpenRouter", "rotation", () =>
    expect(decided(failure("rate_limit", "next_credential"), { credentialsLeft: 2 })).toBe("next_credential"),
  ),
  same("C149", "one key", "no rotation", () =>
    expect(decided(failure("rate_limit", "next_credential"), { othersLeft: 1 })).toBe("next_target"),
  ),
  same("C150", "all exhausted", "no rotation", () =>
    expect(decided(failure("rate_limit", "next_credential"))).toBe("give_up"),
  ),
  ...notApplicable(source, ["C152", "how the helper is found", "at run time"]),
  same("C153", "base 5, cap 120, no chance", "5, 10, 20, 40", () =>
    expect([0, 1, 2, 3].map((n) => backoffDelay({ baseMs: 5, capMs: 120 }, n, () => 1))).toEqual([5, 10, 20, 40]),
  ),
  same("C154", "the 10th, 20th and 100th try", "60 at most", () =>
    expect([10, 20, 100].map((n) => backoffDelay({ baseMs: 5, capMs: 60 }, n, () => 1))).toEqual([60, 60, 60]),
  ),
  same("C156", "the first try, base 3", "3", () => expect(backoffDelay({ baseMs: 3, capMs: 60 }, 0, () => 1)).toBe(3)),
  ...notApplicable("no base of a back-off is zero, and none is configurable", ["C157", "base 0", "the cap"]),
  same("C158", "the 999th try", "120, no overflow", () =>
    expect(backoffDelay({ baseMs: 5, capMs: 120 }, 999, () => 1)).toBe(120),
  ),
  ...notApplicable(
    "chance is Math.random, or what a test hands in: nothing is seeded by time",
    ["C160", "eight at once", "different delays"],
    ["C161", "two in one nanosecond", "different seeds"],
  ),
  better(
    "C162",
    "Z.AI's code 1305 at its coding endpoint, and what is not that",
    "told apart by model and address",
    () => {
      expect(
        http(429, { error: { code: "1305", message: "The service may be temporarily overloaded" } }, "zai").reason,
      ).toBe("overloaded");
      expect(http(429, { error: { code: "1113", message: "Insufficient balance" } }, "zai").reason).toBe("billing");
    },
  ),
  better("C164", "that overload for the 4th to 9th time", "30 to 120 s with the same model", () =>
    expect(defaultCooldownsMs.overloaded).toEqual([30, 30, 60, 300].map((one) => one * second)),
  ),
  same("C165", "another provider", "no such policy", () =>
    expect(http(429, {}, "openrouter").reason).toBe("rate_limit"),
  ),
  ...notApplicable(
    display,
    ["C166", "twelve headers", "four buckets"],
    ["C168", "some of them", "those buckets"],
    ["C169", "other headers", "nothing"],
    ["C170", "no numbers", "zeros"],
    ["C172", "20 of 100 left", "80 %"],
    ["C173", "a limit of 0", "0"],
    ["C174", "60 s, ten seconds ago", "50 s"],
    ["C176", "8,000,000", "8.0M"],
    ["C177", "33,600", "33.6K"],
    ["C178", "800", "800"],
    ["C180", "125 s", "2m 5s"],
    ["C181", "3,660 s", "1h 1m"],
    ["C182", "50 %", "half a bar"],
    ["C184", "everything", "four lines"],
    ["C185", "little left", "a warning"],
    ["C186", "everything, short", "one line"],
    ["C188–189", "headers of an answer, or none", "parsed, or nothing"],
  ),
];

/** Lets so many seconds pass before every turn but the first. */
function skip(seconds: number) {
  return async (stage: { clock: { advance(ms: number): Promise<void> } }, turn: number): Promise<void> => {
    if (turn > 0) await stage.clock.advance(seconds * second);
  };
}
