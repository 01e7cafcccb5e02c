import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  backendNames,
  behaviours,
  faultNames,
  type FaultName,
  type BackendName,
  type Simulator,
  startSimulator,
} from "../../src/testing.ts";
import { type Caller, callersOf, now } from "./callers.ts";

let simulator: Simulator;
let callers: Record<BackendName, Caller>;

beforeEach(async () => {
  simulator = await startSimulator({ now: () => now });
  callers = callersOf(simulator);
});
afterEach(() => simulator.close());

/** What comes over the wire: status, the parts of the body that a client decides by, headers. */
interface Expected {
  readonly status: number;
  /** Matched as an object if it is one, as a pattern of the text if not. */
  readonly body: object | RegExp;
  readonly headers?: Record<string, string>;
}

const resetsAt = now / 1_000 + 3_600;
const html = { "content-type": expect.stringMatching(/^text\/html/) as string };

const common: Partial<Record<FaultName, Expected>> = {
  "waf-page": { status: 403, body: /Attention Required! \| Cloudflare[^]*Sorry, you have been blocked/, headers: html },
  "html-502": { status: 502, body: /<h1>502 Bad Gateway<\/h1>/, headers: html },
  "empty-500": { status: 500, body: /^$/, headers: { "content-length": "0" } },
};

function openai(status: number, code: string | null, type: string, message: RegExp): Expected {
  return {
    status,
    body: {
      error: { message: expect.stringMatching(message) as string, type, param: expect.toSatisfy(() => true), code },
    },
  };
}

const invalid = "invalid_request_error";
const openaiCommon: Partial<Record<FaultName, Expected>> = {
  ...common,
  "quota-exhausted": openai(429, "insufficient_quota", "insufficient_quota", /exceeded your current quota/),
  "burst-limit": {
    ...openai(429, "rate_limit_exceeded", "requests", /try again in 2s/),
    headers: { "retry-after": "2", "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "2s" },
  },
  overloaded: openai(503, null, "server_error", /currently overloaded/),
  "server-error": openai(500, null, "server_error", /had an error/),
  unauthorized: openai(401, "invalid_api_key", invalid, /Incorrect API key/),
  forbidden: openai(403, "insufficient_permissions", "permission_error", /permission/),
  billing: openai(402, "insufficient_credits", "billing_error", /no credits/),
  "model-not-found": openai(404, "model_not_found", invalid, /does not exist/),
  entitlement: openai(403, "model_not_found", invalid, /does not have access to model/),
  "context-overflow": openai(400, "context_length_exceeded", invalid, /context/),
  "payload-too-large": openai(413, null, invalid, /too large/),
  "content-policy": openai(400, "invalid_prompt", invalid, /usage policy/),
  "invalid-request": openai(400, "unknown_parameter", invalid, /Unknown parameter/),
  "invalid-encrypted-content": openai(400, "invalid_encrypted_content", invalid, /could not be verified/),
  "echo-key": openai(401, "invalid_api_key", invalid, /SECRET/),
};

function detail(status: number, text: unknown): Expected {
  return { status, body: { detail: text } };
}

function anthropic(status: number, type: string, message: RegExp, headers: Record<string, string> = {}): Expected {
  return {
    status,
    body: {
      type: "error",
      error: { type, message: expect.stringMatching(message) as string },
      request_id: expect.stringMatching(/^req_/) as string,
    },
    headers: { "request-id": expect.stringMatching(/^req_/) as string, ...headers },
  };
}

const expected: Record<BackendName, Partial<Record<FaultName, Expected>>> = {
  openai: openaiCommon,
  codex: {
    ...openaiCommon,
    "quota-exhausted": {
      status: 429,
      body: {
        error: {
          type: "usage_limit_reached",
          message: "The usage limit has been reached",
          plan_type: "plus",
          resets_at: resetsAt,
          eligible_promo: null,
          resets_in_seconds: 3_600,
        },
      },
      headers: { "x-codex-primary-used-percent": "100", "x-codex-primary-reset-at": String(resetsAt) },
    },
    "burst-limit": {
      ...openai(429, "rate_limit_exceeded", "rate_limit_error", /slow down/),
      headers: { "retry-after": "2" },
    },
    overloaded: openai(503, "server_is_overloaded", "service_unavailable_error", /currently overloaded/),
    unauthorized: openai(401, "token_expired", invalid, /token is expired/),
    forbidden: detail(403, "Workspace is not authorized in this region."),
    billing: detail(402, { code: "deactivated_workspace" }),
    entitlement: detail(400, "The 'gpt-5.5' model is not supported when using Codex with a ChatGPT account."),
    "payload-too-large": detail(413, "Request body too large"),
    "content-policy": openai(400, "cyber_policy", invalid, /cybersecurity/),
    "invalid-request": detail(400, "Unsupported parameter: simulated"),
    "echo-key": openai(401, "invalid_token", invalid, /SECRET/),
  },
  messages: {
    ...common,
    "quota-exhausted": anthropic(429, "rate_limit_error", /rate limit/, {
      "retry-after": "3600",
      "anthropic-ratelimit-unified-status": "rejected",
      "anthropic-ratelimit-unified-reset": String(resetsAt),
      "anthropic-ratelimit-unified-5h-status": "rejected",
    }),
    "burst-limit": anthropic(429, "rate_limit_error", /rate limit/, {
      "retry-after": "2",
      "anthropic-ratelimit-requests-remaining": "0",
      "anthropic-ratelimit-requests-reset": new Date(now + 2_000).toISOString(),
    }),
    overloaded: anthropic(529, "overloaded_error", /^Overloaded$/),
    "server-error": anthropic(500, "api_error", /Internal server error/),
    unauthorized: anthropic(401, "authentication_error", /invalid x-api-key/),
    forbidden: anthropic(403, "permission_error", /permission/),
    billing: anthropic(402, "billing_error", /payment/),
    "credit-balance": anthropic(400, invalid, /credit balance is too low/),
    "model-not-found": anthropic(404, "not_found_error", /^model: claude-opus-4-8$/),
    "context-overflow": anthropic(400, invalid, /prompt is too long/),
    "payload-too-large": anthropic(413, "request_too_large", /maximum size/),
    "content-policy": anthropic(400, invalid, /content filtering policy/),
    "invalid-request": anthropic(400, invalid, /Extra inputs/),
    "invalid-encrypted-content": anthropic(400, invalid, /Invalid `signature` in `thinking` block/),
    "echo-key": anthropic(401, "authentication_error", /SECRET/),
  },
  chat: {
    ...openaiCommon,
    "context-overflow": openai(400, "context_length_exceeded", invalid, /maximum context length/),
    "content-policy": openai(400, "content_filter", invalid, /content management policy/),
    "invalid-encrypted-content": undefined,
  },
};

describe.each(backendNames)("an HTTP error of %s", (name) => {
  const refused = faultNames.filter((fault) => behaviours[fault].kind === "refused" && fault !== "redirect");
  const rows = refused.filter((fault) => expected[name][fault] !== undefined);

  it("is in this table exactly if the backend has it", () => {
    expect(refused.filter((fault) => callers[name].backend.supports(fault))).toEqual(rows);
  });

  it.each(rows)("%s has its status, headers and body, streaming or not", async (fault) => {
    const { status, body, headers = {} } = expected[name][fault] ?? { status: 0, body: {} };
    const caller = callers[name];
    caller.backend.script(fault, { times: 2 });
    for (const stream of [true, false]) {
      if (!stream && caller.streamOnly) continue;
      const answer = await caller.call({ stream });
      expect(answer.ended).toBe("whole");
      expect(answer.status).toBe(status);
      expect(answer.headers).toMatchObject(headers);
      const text = answer.text.replaceAll(caller.secret, "SECRET");
      if (body instanceof RegExp) {
        expect(text).toMatch(body);
      } else {
        expect(JSON.parse(text)).toEqual(body);
        expect(answer.headers["content-type"]).toBe("application/json");
      }
      if (fault !== "echo-key") expect(text).toBe(answer.text);
    }
    expect(simulator.unplanned).toEqual([]);
  });

  it("redirect points to another origin, which sees nobody unless somebody follows", async () => {
    callers[name].backend.script("redirect");
    const answer = await callers[name].call();
    expect(answer.status).toBe(302);
    expect(answer.headers.location).toBe(`${simulator.elsewhere.origin}/taken-away`);
    expect(simulator.elsewhere.requests).toEqual([]);
    await fetch(answer.headers.location ?? "");
    expect(simulator.unplanned).toHaveLength(1);
  });
});

describe("details of a behaviour", () => {
  it("set reset and retry times", async () => {
    callers.codex.backend.script({ name: "quota-exhausted", resetsInS: 90 });
    const quota = await callers.codex.call();
    expect(JSON.parse(quota.text)).toMatchObject({ error: { resets_at: now / 1_000 + 90, resets_in_seconds: 90 } });
    callers.chat.backend.script({ name: "burst-limit", retryAfterS: 17 });
    expect((await callers.chat.call()).headers["retry-after"]).toBe("17");
  });

  it.each(backendNames)("let %s keep to itself when a burst limit ends", async (name) => {
    callers[name].backend.script({ name: "burst-limit", retryAfterS: null });
    const { status, headers, text } = await callers[name].call();
    expect(status).toBe(429);
    expect(Object.keys(headers).filter((header) => /retry-after|ratelimit/.test(header))).toEqual([]);
    expect(text).not.toMatch(/try again in/);
  });

  it("set the provider's code and words", async () => {
    callers.codex.backend.script({ name: "unauthorized", code: "token_invalidated" });
    expect(JSON.parse((await callers.codex.call()).text)).toMatchObject({
      error: { code: "token_invalidated", message: expect.stringContaining("invalidated") },
    });
    callers.openai.backend.script({ name: "server-error", code: "odd_code", message: "odd words" });
    expect(JSON.parse((await callers.openai.call()).text)).toMatchObject({
      error: { code: "odd_code", message: "odd words" },
    });
  });
});
