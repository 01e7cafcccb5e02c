import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readErrorBody, readErrorValue } from "../../src/failures/read-error-body.ts";

/** What is read from a JSON body, without the body itself. */
function read(value: unknown, status = 400) {
  const { body: _body, headers: _headers, status: _status, ...rest } = readErrorBody(status, {}, JSON.stringify(value));
  return rest;
}

describe("readErrorBody", () => {
  it.each([
    [
      "OpenAI's object",
      { error: { message: "No", type: "invalid_request_error", param: "model", code: "model_not_found" } },
      { message: "No", type: "invalid_request_error", param: "model", code: "model_not_found" },
    ],
    [
      "Anthropic's object",
      { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
      { type: "overloaded_error", message: "Overloaded" },
    ],
    [
      "the OAuth form",
      { error: "invalid_grant", error_description: "Gone" },
      { code: "invalid_grant", message: "Gone" },
    ],
    ["the OAuth form without words", { error: "invalid_grant" }, { code: "invalid_grant", message: "invalid_grant" }],
    [
      "a sentence as the error",
      { error: "model 'x' not found, try pulling it first" },
      { message: "model 'x' not found, try pulling it first" },
    ],
    ["a detail in words", { detail: "Store must be set to false" }, { message: "Store must be set to false" }],
    [
      "a detail as an object",
      { detail: { code: "deactivated_workspace", message: "Closed" } },
      { code: "deactivated_workspace", message: "Closed" },
    ],
    [
      "a list of validation errors",
      {
        detail: [
          { loc: ["body", "messages", 0], msg: "field required", type: "missing" },
          { loc: ["body", "model"], msg: "no" },
        ],
      },
      { param: "messages.0", message: "messages.0: field required; model: no" },
    ],
    [
      "fields at the top",
      { code: "usage_limit_reached", message: "Used up", type: "x" },
      { code: "usage_limit_reached", message: "Used up", type: "x" },
    ],
    [
      "AWS's form",
      { __type: "ThrottlingException", message: "Slow" },
      { type: "ThrottlingException", message: "Slow" },
    ],
    [
      "MiniMax's form",
      { base_resp: { status_code: 2056, status_msg: "usage limit exceeded" } },
      { code: "2056", message: "usage limit exceeded" },
    ],
    [
      "a code that is a number of the provider's own",
      { error: { code: "1113", message: "Arrears" } },
      { code: "1113", message: "Arrears" },
    ],
    ["a status as a code: no code", { error: { code: "400", type: "400", message: "No" } }, { message: "No" }],
    [
      "a sentence as a code: no code",
      { code: "Some resource has been exhausted", error: "Pay first" },
      { message: "Pay first" },
    ],
    [
      "the envelope's type: no type",
      { type: "response.failed", response: { error: { code: "x_y", message: "No" } } },
      { code: "x_y", message: "No" },
    ],
    [
      "Google's list",
      [{ error: { code: 429, message: "Quota", status: "RESOURCE_EXHAUSTED" } }],
      { code: "RESOURCE_EXHAUSTED", message: "Quota" },
    ],
    [
      "Google's cause",
      {
        error: {
          code: 400,
          message: "Key",
          status: "INVALID_ARGUMENT",
          details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "API_KEY_INVALID" }],
        },
      },
      { code: "INVALID_ARGUMENT", type: "API_KEY_INVALID", message: "Key" },
    ],
    [
      "JSON in the message",
      { error: { type: "400", message: '{"error":{"code":"invalid_encrypted_content","message":"No"}}' } },
      { code: "invalid_encrypted_content", message: "No" },
    ],
    [
      "JSON after words in the message",
      { error: { code: "upstream_400", message: 'upstream said (400): {"detail":"No"}' } },
      { code: "upstream_400", message: "No" },
    ],
    [
      "a wrapper's wrapper",
      {
        type: "error",
        error: {
          type: "request_fail",
          upstream_error: { type: "error", error: { type: "invalid_request_error", message: "No" } },
        },
      },
      { type: "invalid_request_error", message: "No" },
    ],
    ["an object as the message", { error: { message: { message: "No" } } }, { message: "No" }],
    [
      "a provider behind OpenRouter",
      {
        error: {
          message: "Provider returned error",
          code: 429,
          metadata: { raw: '{"error":{"message":"Slow","code":"rate_limit_exceeded"}}', provider_name: "DeepSeek" },
        },
      },
      { message: "DeepSeek: Slow", code: "rate_limit_exceeded", upstream: true },
    ],
    [
      "a provider behind OpenRouter in words",
      {
        error: {
          message: "Provider returned error",
          code: 429,
          metadata: { raw: "glm is temporarily rate-limited upstream", provider_name: "BaseTen" },
        },
      },
      { message: "BaseTen: glm is temporarily rate-limited upstream", upstream: true },
    ],
    [
      "the user's own key at the provider behind",
      {
        error: {
          message: "Provider returned error",
          metadata: { raw: "Slow", provider_name: "OpenAI", is_byok: true },
        },
      },
      { message: "OpenAI: Slow" },
    ],
    [
      "OpenRouter's own refusal",
      { error: { message: "More credits", code: 402, metadata: { provider_name: null } } },
      { message: "More credits" },
    ],
    [
      "a type with a wrapper's code",
      { code: "wrapper_code", error: { type: "inner_type", message: "No" } },
      { type: "inner_type", message: "No" },
    ],
    ["an empty object", {}, {}],
    ["an empty list", [], {}],
    ["null for everything", { error: { message: null, code: null, type: null, param: null } }, {}],
  ])("reads %s", (_form, value, expected) => {
    expect(read(value)).toEqual(expected);
  });

  it("keeps the HTTP status when it is an error", () => {
    expect(readErrorBody(502, {}, '{"error":{"code":429}}').status).toBe(502);
  });

  it("takes the status from the body of a good answer", () => {
    expect(readErrorBody(200, {}, '{"error":{"code":429,"message":"x"}}').status).toBe(429);
    expect(readErrorValue({ type: "error", error: {}, status_code: 429 }).status).toBe(429);
    expect(readErrorValue({ error: { code: "503" } }, 200).status).toBe(503);
  });

  it("leaves a good status alone when the body names none", () => {
    expect(readErrorBody(200, {}, '{"error":{"code":200}}').status).toBe(200);
    expect(readErrorBody(200, {}, '{"status":"failed"}').status).toBe(200);
  });

  it("reads a page's title and keeps its beginning", () => {
    const page = `<!DOCTYPE html><html><head><title>\n Just a\n moment... </title></head>${"x".repeat(100_000)}`;
    const { message, text, body } = readErrorBody(403, {}, page);
    expect(message).toBe("Just a moment...");
    expect(text).toBe(page.slice(0, 65_536));
    expect(body).toBeUndefined();
  });

  it("takes plain text for the message, and cuts it", () => {
    expect(readErrorBody(500, {}, "upstream connect error").message).toBe("upstream connect error");
    expect(readErrorBody(500, {}, "x".repeat(100_000)).message).toHaveLength(4_096);
  });

  it("takes JSON that is a text for the message", () => {
    expect(readErrorBody(500, {}, '"out of order"').message).toBe("out of order");
  });

  it("keeps JSON that was cut as text", () => {
    expect(readErrorBody(500, {}, '{"error":{"mess')).toMatchObject({
      text: '{"error":{"mess',
      message: '{"error":{"mess',
    });
  });

  it("reads nothing from nothing", () => {
    expect(readErrorBody(500, { a: "b" }, "")).toEqual({ status: 500, headers: { a: "b" } });
  });

  it("ends for a body that contains itself", () => {
    const body: { error?: unknown } = {};
    body.error = body;
    expect(readErrorValue(body, 500).status).toBe(500);
  });

  it("never throws, for any text", () => {
    const texts = fc.oneof(
      fc.string(),
      fc.string({ unit: "binary" }),
      fc.json(),
      fc.uint8Array().map((bytes) => new TextDecoder().decode(bytes)),
    );
    fc.assert(
      fc.property(fc.integer(), texts, (status, text) => {
        const { message, code, type } = readErrorBody(status, {}, text);
        expect((message ?? "").length).toBeLessThanOrEqual(4_096);
        expect((code ?? "").length).toBeLessThanOrEqual(128);
        expect((type ?? "").length).toBeLessThanOrEqual(128);
      }),
      { numRuns: 1_000 },
    );
  });

  it("never throws, for any value", () => {
    fc.assert(
      fc.property(
        fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withMap: true }),
        (value) => {
          readErrorValue({ error: value });
          readErrorValue({ error: { message: value, metadata: value, details: [value], code: value } });
          readErrorValue(value);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
