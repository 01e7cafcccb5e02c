import { expect } from "vitest";
import { describeDuration } from "../../src/turn/advice.ts";
import { toCanonical } from "../../src/turn/upstream-request.ts";
import { chatCompletions } from "../../src/protocols/chat-completions/index.ts";
import { responses } from "../../src/protocols/responses/index.ts";
import type { CanonicalRequest } from "../../src/protocols/canonical.ts";
import { findProvider, builtInProviders } from "../../src/providers/registry.ts";
import { hour, http, now, rest, second } from "./parts.ts";
import { better, notApplicable, type PeerCase, same, shownBy } from "./peer-case.ts";
import { place, problems, resolved } from "./places.ts";
import { play, playOnce, well } from "./theatre.ts";

const plan = { name: "quota-exhausted" } as const;
const dead = { name: "unauthorized" } as const;
const classifier = (id: string) => shownBy("failures/hermes-companion-cases.ts", `id: "${id}"`);
const request: CanonicalRequest = {
  messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }],
  stream: true,
};
const tool = { name: "t", schema: { type: "object", properties: {} } };
const page = `<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>${"<p>x</p>".repeat(900)}</body></html>`;
const nous = "the breaker and the client of the Nous Portal belong to a login that is left out";
const plans = "tokens of Anthropic's plans are not taken, so no request of theirs is told apart from a key's";
const limits = "there is one limit for the first event, and its size or model does not change it";

/** F: the pool and the fallback in the peer's agent, and its small companion files. */
export const companionCases: readonly PeerCase[] = [
  same("F1", "402 with a pool", "one mark, the next key", async () =>
    expect(await playOnce({ pool: [{ name: "billing" }, well] })).toMatchObject({
      story: ["k1 billing", "k2 ok"],
      cooldowns: [{ reason: "billing" }],
    }),
  ),
  same("F2", "400 that says the extra usage is spent", "the next key", () =>
    expect(
      http(400, { error: { type: "invalid_request_error", message: "You're out of extra usage." } }, "anthropic"),
    ).toMatchObject({ reason: "billing", next: "next_credential" }),
  ),
  same(
    "F4",
    "401 of a login",
    "refreshed, the same again",
    shownBy("turn/turn.test.ts", "a 401 refreshes and goes on with the same login"),
  ),
  better("F5", "401 again and again after each refresh", "two refreshes, then no more", async () =>
    expect((await playOnce({ provider: "codex", pool: [dead, well] })).story).toEqual(["k1 auth", "k1 auth", "k2 ok"]),
  ),
  same("F6", "the same of two logins", "each is refreshed", async () =>
    expect((await playOnce({ provider: "codex", pool: [dead, dead, well] })).story).toEqual([
      "k1 auth",
      "k1 auth",
      "k2 auth",
      "k2 auth",
      "k3 ok",
    ]),
  ),
  same("F8", "the refresh is refused, nobody else is there", "no other key, an error", async () => {
    const { story, reading } = await playOnce({
      provider: "codex",
      pool: [dead],
      before: (stage) => stage.simulator.codexIssuer.script("invalid-grant"),
    });
    expect([story, reading.kind]).toEqual([["k1 auth", "k1 relogin_required"], "error"]);
  }),
  same("F9", "a code, words and a reset in ISO", "all three go on", () => {
    const resetAt = new Date(now + hour).toISOString();
    const error = { code: "device_code_exhausted", message: "Used up", resets_at: resetAt };
    expect(http(429, { error })).toMatchObject({
      code: "device_code_exhausted",
      message: "Used up",
      retryAt: now + hour,
    });
  }),
  same("F10", "only a type", "it is the code", classifier("F10")),
  same("F12", "429 with a reset", "the rest has reason and end", () => {
    const verdict = http(429, { error: { code: "usage_limit_reached", resets_in_seconds: 7_200 } });
    expect(rest(verdict, "a")).toMatchObject({ reason: "quota", until: now + 2 * hour, stated: true });
  }),
  better("F13", "Retry-After 300, nobody else is there", "300 s of waiting", async () => {
    const { story, reading, cooldowns } = await playOnce({ pool: [{ name: "burst-limit", retryAfterS: 300 }] });
    expect([story, reading.kind]).toEqual([["k1 rate_limit"], "error"]);
    expect(cooldowns.map(({ until, since }) => until - since)).toEqual([300 * second]);
    expect(resolved("limits: { maxWaitMs: 300000 }").limits.maxWaitMs).toBe(300_000);
  }),
  better("F14", "Retry-After 900", "600 s of waiting", classifier("F14")),
  better("F16", "nothing but empty answers", "an answer that says No reply", async () => {
    const empty = { name: "empty-stream" } as const;
    expect((await playOnce({ pool: [empty], chain: [empty] })).reading.kind).toBe("error");
  }),
  same("F17", "choices [] for ever", "an error", async () => {
    expect(chatCompletions.readAnswer({ object: "chat.completion", choices: [] }).kind).toBe("failure");
    const { reading } = await playOnce({ provider: "local", pool: [{ name: "broken-json-200" }], stream: false });
    expect(reading.kind).toBe("error");
  }),
  same("F18", "a refusal in the message", "failed, shown, one call", async () => {
    const { asked, reading } = await playOnce({ provider: "local", pool: [{ name: "content-policy" }, well] });
    expect([asked, reading.kind]).toEqual([["k1"], "error"]);
  }),
  same("F20", "the request can't be built", "failed with the reason", () =>
    expect(() => toCanonical({ dialect: "responses", body: "{", stream: true })).toThrow(/body is not JSON/),
  ),
  ...notApplicable(
    nous,
    ["F21", "a refresh of Nous", "a new client"],
    ["F69–72", "reset headers in mixed case, none, 0, text", "read, or nothing"],
    ["F73–74", "the breaker is open, or there is no login", "no client"],
  ),
  better("F22–25", "gpt-5 at Azure, at OpenAI and at Nous", "Chat Completions but at OpenAI", () => {
    const azure = "providers: { azure-foundry: { baseUrl: https://me.openai.azure.com/openai/v1 } }";
    expect([place("azure-foundry/gpt-5", azure).protocol, place("openai/gpt-5").protocol]).toEqual([
      "responses",
      "responses",
    ]);
    const said =
      "providers: { azure-foundry: { protocol: chat-completions, baseUrl: https://me.openai.azure.com/openai/v1 } }";
    expect(place("azure-foundry/gpt-5", said).protocol).toBe("chat-completions");
  }),
  same("F26", "a fallback to Anthropic", "Messages", async () => {
    const { reply, reading } = await playOnce({ pool: [plan], chain: [well] });
    expect([reply.headers["x-understudy-served-by"], reading.text]).toEqual([
      "anthropic/claude-opus-4-8/t2",
      "from t2",
    ]);
  }),
  same("F28", "a fallback over Chat Completions", "Chat Completions", async () => {
    const { reply, reading } = await playOnce({ pool: [plan], chain: [plan, well] });
    expect([reply.headers["x-understudy-served-by"], reading.text]).toEqual(["local/qwen3/t3", "from t3"]);
  }),
  ...notApplicable(
    plans,
    ["F29–30", "a fallback with a plan's token or a key", "the flag says which"],
    ["F33–34", "a refresh that changes one into the other", "the flag follows"],
  ),
  same("F36", "an answer with reasoning under two names", "the provider's own is sent", () => {
    const message = { role: "assistant", content: "hi", reasoning: "a", reasoning_content: "b" };
    expect(chatCompletions.fitHistory?.({ messages: [message] }, "needs-reasoning")).toBeNull();
    const [fitted] = (chatCompletions.fitHistory?.(
      { messages: [{ ...message, reasoning_content: "" }] },
      "needs-reasoning",
    )?.["messages"] ?? []) as { reasoning_content?: string }[];
    expect(fitted?.reasoning_content).toBe("a");
  }),
  same(
    "F37",
    "Mistral, reasoning in the history",
    "it is taken out",
    shownBy("turn/habits.test.ts", "Mistral's, that there is no signature of Gemini"),
  ),
  ...notApplicable("the caller's instructions are its own, and the model's name in them as well", [
    "F38–42",
    "a switch to another model",
    "its name in the system prompt",
  ]),
  better("F65–68", "30, 125, 120 and 3,720 s", "30s, 2m 5s, 2m, 1h 2m", () =>
    expect([30, 125, 120, 3_720].map((seconds) => describeDuration(seconds * second))).toEqual([
      "30 s",
      "2 min",
      "2 min",
      "1 h 2 min",
    ]),
  ),
  same("F84", "the first event after 2 s", "answered", async () => {
    const { story } = await playOnce({
      pool: [{ name: "slow-first-event" }],
      before: (stage) => {
        stage.holdMs = 100;
      },
    });
    expect(story).toEqual(["k1 ok"]);
    expect(resolved("").limits.firstEventMs).toBeGreaterThan(2_000);
  }),
  ...notApplicable("no message names other models to try: the chain of the route is that list", [
    "F85",
    "gpt-5.5 stays silent",
    "older models are named",
  ]),
  ...notApplicable(
    limits,
    ["F86", "a limit of 90 s and a cap of 1 s", "1 s"],
    ["F90", "a request of 44,000 characters", "not given up"],
  ),
  same("F88", "silence after the first event", "a time-out of the stream", classifier("F88")),
  better("F89", "a limit of 0", "no limit", () =>
    expect(problems("limits: { firstEventMs: 0 }")).toMatch(/a whole number of milliseconds from 10/),
  ),
  better("F92–98", "the headers to Codex", "those of the Codex program, and the account's id", () => {
    const account = { id: "acct-1", userId: null, email: null, plan: null };
    const headers = findProvider(builtInProviders, "codex")?.headers;
    const sent = [account, { ...account, id: null }].map((one) =>
      headers?.({ account: one } as Parameters<NonNullable<typeof headers>>[0]),
    );
    expect(sent).toEqual([{ originator: "understudy", "chatgpt-account-id": "acct-1" }, { originator: "understudy" }]);
  }),
  ...notApplicable("faults of the peer's own Python code (decoding, attribute errors) taken for a provider's", [
    "F105–113",
    "a decoding error, a None that is not iterable, a value error",
    "tried again, or ended",
  ]),
  same("F114–119", "no tools, or an empty list", "no key about tools in the request", () => {
    for (const protocol of [responses, chatCompletions]) {
      for (const tools of [{}, { tools: [] }]) {
        const { body } = protocol.encodeRequest({ ...request, ...tools }, "m");
        const about = ["tools", "tool_choice", "parallel_tool_calls"].filter((name) => name in body);
        expect([about, "model" in body]).toEqual([[], true]);
      }
      expect(protocol.encodeRequest({ ...request, tools: [tool] }, "m").body).toHaveProperty("tools");
    }
  }),
  same(
    "F120–122",
    "a pool of which nobody is usable, and a key in the environment",
    "the environment's",
    shownBy("providers/environment.test.ts", "come after every stored credential"),
  ),
  same("F133–134", "a web page under 403", "one short line without it", async () => {
    const [{ message }] = [http(403, page, "p", { "content-type": "text/html" })];
    expect(message).toMatch(/403/);
    expect([message.length < 200, message.includes("<")]).toEqual([true, false]);
    const [played] = await play({ pool: [{ name: "waf-page" }] });
    expect(played?.reading.kind).toBe("error");
    expect(played?.reply.text).not.toMatch(/<html|<!DOCTYPE/i);
  }),
];
