import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/protocols/canonical.ts";
import { responses } from "../../../src/protocols/responses/index.ts";
import { SseParser } from "../../../src/protocols/sse.ts";

describe("readError", () => {
  it.each<[string, number, string, JsonObject]>([
    [
      "OpenAI's body",
      400,
      '{"error":{"message":"No.","type":"invalid_request_error","param":"model","code":"model_not_found"}}',
      { phase: "headers", message: "No.", type: "invalid_request_error", param: "model", code: "model_not_found" },
    ],
    ["a detail", 400, '{"detail":"Store must be set to false"}', { message: "Store must be set to false" }],
    ["plain text", 502, "Bad gateway", { message: "Bad gateway", text: "Bad gateway" }],
    ["nothing", 503, "", {}],
    ["an error with a good status", 200, '{"error":{"code":"server_error"}}', { phase: "head", code: "server_error" }],
  ])("reads %s", (_name, status, text, expected) => {
    const headers = { "retry-after": "3" };
    expect(responses.readError(status, headers, text)).toMatchObject({
      phase: "headers",
      protocol: "responses",
      status,
      headers,
      ...expected,
    });
  });
});

describe("encodeError", () => {
  const error = { status: 429, type: "usage_limit_reached", code: "quota", message: "Out of quota." };
  const events = (code: string | null): JsonObject[] => {
    const parser = new SseParser();
    const text = responses.encodeError({ ...error, code }).event;
    return parser.push(new TextEncoder().encode(text)).map(({ event, data }) => {
      const parsed = JSON.parse(data) as JsonObject;
      expect(event).toBe(parsed["type"]);
      return parsed;
    });
  };

  it("writes OpenAI's body, with the reset in whole seconds and never too early", () => {
    expect(responses.encodeError({ ...error, resetsAt: 1_800_000_000_001 }).body).toEqual({
      error: {
        type: "usage_limit_reached",
        code: "quota",
        message: "Out of quota.",
        param: null,
        resets_at: 1_800_000_001,
      },
    });
    expect(responses.encodeError({ ...error, code: null }).body).toEqual({
      error: { type: "usage_limit_reached", code: null, message: "Out of quota.", param: null },
    });
  });

  it.each([
    ["quota", "invalid_prompt"],
    ["rate_limit_exceeded", "invalid_prompt"],
    [null, "invalid_prompt"],
    ["context_length_exceeded", "context_length_exceeded"],
  ])("tells a stream the code %j first, then %j, at which Codex stops", (code, stopCode) => {
    expect(events(code)).toMatchObject([
      { type: "error", code, message: "Out of quota.", error: { code, message: "Out of quota." } },
      { type: "response.failed", response: { status: "failed", error: { code: stopCode, message: "Out of quota." } } },
    ]);
  });

  it("is read back as the failure that it tells", () => {
    const { event, body } = responses.encodeError(error);
    const expected = { type: "usage_limit_reached", code: "quota", message: "Out of quota." };
    const [first] = new SseParser().push(new TextEncoder().encode(event));
    const verdict = first && responses.createStreamReader().read(first);
    expect(verdict).toMatchObject({ kind: "failure", evidence: { phase: "head", ...expected } });
    expect(responses.readError(429, {}, JSON.stringify(body))).toMatchObject(expected);
  });
});
