import { afterAll, describe, expect, it } from "vitest";
import { type EvidenceInput, readEvidence } from "../../src/cli/read-evidence.ts";
import { classifyFailure } from "../../src/failures/classify.ts";
import { type CliStage, openCliStage } from "./rig.ts";

const stage: CliStage = await openCliStage();
afterAll(() => stage[Symbol.asyncDispose]());

const explain = (args: readonly string[], input: string) => stage.run(["explain", ...args], { input });

const reused =
  '{"error":{"message":"Your refresh token has already been used","type":"invalid_request_error","code":"refresh_token_reused"}}';

describe("explain", () => {
  it("gives exactly the documented keys as JSON", async () => {
    const { code, stdout, stderr } = await explain(["--provider", "codex", "--status", "401", "--json"], reused);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const told = JSON.parse(stdout) as Record<string, unknown>;
    expect(Object.keys(told)).toEqual(["reason", "scope", "next", "retryAt", "reloginRequired", "row", "message"]);
    expect(told).toMatchObject({
      reason: "relogin_required",
      scope: "credential",
      next: "next_credential",
      retryAt: null,
      reloginRequired: true,
      message: "Your refresh token has already been used",
    });
    expect(told["row"]).toMatch(/^[a-z0-9-]+$/);
  });

  it("says in words whom it concerns, what is done, from when, and which command helps", async () => {
    const relogin = await explain(["--provider", "openai-codex", "--status", "401"], reused);
    expect(relogin.stdout).toMatch(/^relogin_required: sign in again\n/);
    expect(relogin.stdout).toContain("this login or key, for every model");
    expect(relogin.stdout).toContain("yes: understudy auth add codex --force-new-login");
    const body = JSON.stringify({
      error: { type: "usage_limit_reached", resets_in_seconds: 10_800, plan_type: "plus" },
    });
    const quota = await explain(["--provider", "codex", "--status", "429", "--header", "x-request-id: r"], body);
    expect(quota.stdout).toMatch(/^quota: the plan's limit is reached, until .*\(in 3 h\)\n/);
    expect(quota.stdout).toMatch(/sign in again +no\n/);
  });

  it("ends with 2 on nothing to explain, and on what it can't read", async () => {
    for (const [args, said] of [
      [[], /there is nothing to explain/],
      [["--status", "abc"], /--status takes an HTTP status/],
      [["--header", "no colon", "--status", "500"], /--header takes "name: value"/],
      [["--protocol", "grpc", "--status", "500"], /Allowed choices are responses/],
      [["--provider", "opnai", "--status", "500"], /did you mean "openai"/],
    ] as const) {
      const { code, stdout, stderr } = await explain(args, "");
      expect({ code, stdout }, args.join(" ")).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(said);
    }
  });
});

const responsesFailed = {
  type: "response.failed",
  response: {
    status: "failed",
    error: { code: "rate_limit_exceeded", message: "Rate limit reached. Please try again in 7s." },
  },
};
const sse = (event: string | null, data: unknown): string =>
  `${event === null ? "" : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`;

const cases: readonly [what: string, input: Partial<EvidenceInput>, reason: string | null][] = [
  ["a nested error of a token endpoint", { protocol: "responses", status: 401, text: reused }, "relogin_required"],
  ["a flat one", { protocol: "responses", status: 400, text: '{"error":"invalid_grant"}' }, "relogin_required"],
  ["an error without any protocol", { status: 401, text: reused }, "relogin_required"],
  ["one without a status either", { text: reused }, "relogin_required"],
  ["a status and nothing else", { status: 529, text: "" }, "overloaded"],
  ["a header that counts", { status: 429, text: "{}", headers: { "retry-after": "20" } }, "rate_limit"],
  [
    "a web page",
    { status: 403, text: "<!doctype html><title>Just a moment...</title>", headers: { "content-type": "text/html" } },
    "blocked",
  ],
  [
    "an event by its name",
    { protocol: "messages", event: "error", text: '{"error":{"type":"overloaded_error","message":"Overloaded"}}' },
    "overloaded",
  ],
  ["an event by its own type", { protocol: "responses", text: JSON.stringify(responsesFailed) }, "rate_limit"],
  [
    "an event of an unknown protocol",
    { text: '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}' },
    "overloaded",
  ],
  [
    "a failure in the middle of a stream",
    {
      protocol: "responses",
      text: sse("response.created", { type: "response.created" }) + sse("response.failed", responsesFailed),
    },
    "rate_limit",
  ],
  [
    "a stream that just ends",
    { protocol: "responses", text: sse("response.created", { type: "response.created" }) },
    "incomplete",
  ],
  [
    "a stream that is complete",
    {
      protocol: "chat-completions",
      text: 'data: {"choices":[{"delta":{"content":"hi"}}]}\n\ndata: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
    },
    null,
  ],
  [
    "an answer inside a 200 that failed",
    { protocol: "responses", status: 200, text: JSON.stringify({ object: "response", ...responsesFailed.response }) },
    "rate_limit",
  ],
  [
    "an answer that is one",
    {
      protocol: "responses",
      status: 200,
      text: '{"object":"response","status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"hi"}]}]}',
    },
    null,
  ],
  [
    "a completed answer without any item",
    { protocol: "responses", status: 200, text: '{"object":"response","status":"completed","output":[]}' },
    "incomplete",
  ],
];

describe("what is handed in", () => {
  it.each(cases)("reads %s", (_, input, reason) => {
    const evidence = readEvidence({ text: "", headers: {}, protocol: null, ...input });
    expect(evidence === null ? null : classifyFailure(evidence, { now: Date.now() }).reason).toBe(reason);
  });
});
