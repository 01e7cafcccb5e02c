import { broken, type Case, http, inStream, said } from "./hermes-cases.ts";

const wrapped = {
  error: {
    type: "400",
    message: JSON.stringify({ error: { code: "invalid_encrypted_content", message: "could not be verified" } }),
  },
};

const disconnected = "server disconnected without sending complete message";

const peerClosed = "peer closed connection without sending complete message body (incomplete chunked read)";

const recordMac = "[SSL: BAD_RECORD_MAC] sslv3 alert bad record mac (_ssl.c:2580)";

/** An error of a provider behind OpenRouter. */
function openrouter(status: number, raw: unknown, providerName?: string) {
  const metadata = {
    ...(raw !== undefined && { raw: JSON.stringify(raw) }),
    ...(providerName !== undefined && { provider_name: providerName }),
  };
  return http(status, { error: { message: "Provider returned error", code: status, metadata } }, "openrouter");
}

const stopped = { next: "stop", scope: "request" } as const;

const planWindow = { reason: "quota", next: "next_credential" } as const;

/** Cases A73 to A178: what words, codes, wrappers and broken connections say. */
export const wordsCases: readonly Case[] = [
  {
    id: "A73",
    title: "a thinking block's signature",
    evidence: http(400, "thinking block has invalid signature", "anthropic"),
    peer: { reason: "thinking_signature", flags: ["R"] },
  },
  {
    id: "A74",
    title: "a signature without thinking",
    evidence: http(400, "invalid signature", "openrouter"),
    peer: { not: "thinking_signature" },
  },
  {
    id: "A76",
    title: "the same behind an aggregator",
    evidence: http(400, "thinking block has invalid signature", "openrouter"),
    peer: { reason: "thinking_signature", flags: ["R"] },
  },
  {
    id: "A77",
    title: "not modifiable, without thinking",
    evidence: http(400, "this field cannot be modified after creation"),
    peer: { not: "thinking_signature" },
  },
  {
    id: "A78",
    title: "encrypted content",
    evidence: http(400, wrapped, "custom"),
    peer: { reason: "invalid_encrypted_content", flags: ["R", "F!"] },
  },
  {
    id: "A80",
    title: "mixed case",
    evidence: http(400, { error: { code: "Invalid_Encrypted_Content", message: "x" } }),
    peer: { reason: "invalid_encrypted_content", flags: ["R", "F!"] },
  },
  {
    id: "A81",
    title: "upper case",
    evidence: http(400, { error: { code: "INVALID_ENCRYPTED_CONTENT", message: "x" } }),
    peer: { reason: "invalid_encrypted_content", flags: ["R", "F!"] },
  },
  {
    id: "A82",
    title: "llama.cpp's grammar",
    evidence: http(400, "parse: error parsing grammar: unknown escape at \\d"),
    peer: { reason: "llama_cpp_grammar_pattern", flags: ["R"] },
  },
  {
    id: "A84",
    title: "llama.cpp's schema",
    evidence: http(400, "json-schema-to-grammar failed to convert schema"),
    peer: { reason: "llama_cpp_grammar_pattern" },
  },
  {
    id: "A85",
    title: "500 that names a grammar",
    evidence: http(500, "error parsing grammar"),
    peer: { not: "llama_cpp_grammar_pattern" },
  },
  {
    id: "A86",
    title: "429, the long window",
    evidence: http(429, "Extra usage is required for long context requests over 200k tokens"),
    peer: { reason: "long_context_tier" },
  },
  {
    id: "A88",
    title: "400, the long window's beta",
    evidence: http(400, "The long context beta is not yet available for this subscription."),
    peer: { reason: "oauth_long_context_beta_forbidden", flags: ["R"] },
  },
  {
    id: "A89",
    title: "429, the long window",
    evidence: http(429, "Extra usage is required for long context requests over 200k tokens", "anthropic"),
    peer: { reason: "long_context_tier" },
  },
  {
    id: "A90",
    title: "400 without the beta's words",
    evidence: http(400, "long context window exceeded"),
    peer: { not: "oauth_long_context_beta_forbidden" },
  },

  {
    id: "A92",
    title: "connection refused",
    evidence: broken("ECONNREFUSED", "Connection refused"),
    peer: { reason: "timeout" },
  },
  {
    id: "A93",
    title: "connection error",
    evidence: broken("ECONNRESET", "Connection error"),
    peer: { reason: "timeout" },
  },
  { id: "A94", title: "time-out", evidence: broken("ETIMEDOUT", "timed out"), peer: { reason: "timeout" } },
  {
    id: "A96",
    title: "time-out in words",
    evidence: said("request timed out after 120s"),
    peer: { reason: "timeout", flags: ["R"] },
  },
  {
    id: "A97",
    title: "deadline in words",
    evidence: said("deadline exceeded"),
    peer: { reason: "timeout", flags: ["R"] },
  },
  {
    id: "A98",
    title: "the code of a limit",
    evidence: inStream({ error: { code: "resource_exhausted" } }),
    peer: { reason: "rate_limit" },
  },
  {
    id: "A100",
    title: "the code of a full context",
    evidence: inStream({ error: { code: "context_length_exceeded" } }),
    peer: { reason: "context_overflow" },
  },
  {
    id: "A101",
    title: "the code of a free tier",
    evidence: inStream({ error: { code: "model_not_supported_on_free_tier" } }, "nous"),
    peer: { reason: "billing" },
    better: { reason: "entitlement", scope: "credential_model", next: "next_credential" },
  },
  {
    id: "A102",
    title: "billing in words",
    evidence: said("insufficient credits to complete this request"),
    peer: { reason: "billing" },
  },
  {
    id: "A104",
    title: "a limit in words",
    evidence: said("rate limit reached for this model"),
    peer: { reason: "rate_limit" },
  },
  { id: "A105", title: "a key in words", evidence: said("invalid api key provided"), peer: { reason: "auth" } },
  {
    id: "A106",
    title: "a model in words",
    evidence: said("gpt-99 is not a valid model"),
    peer: { reason: "model_not_found" },
  },
  {
    id: "A108",
    title: "usage limit with a time",
    evidence: said("usage limit exceeded, try again in 5 minutes"),
    peer: { reason: "rate_limit", flags: ["R", "K", "F"] },
    better: { ...planWindow, retryAt: Date.parse("2026-10-01T12:05:00Z") },
  },
  {
    id: "A109",
    title: "usage limit",
    evidence: said("usage limit reached"),
    peer: { reason: "billing", flags: ["R!", "K"] },
    better: planWindow,
  },
  {
    id: "A110",
    title: "quota with a reset",
    evidence: said("quota exceeded, resets at midnight UTC"),
    peer: { reason: "rate_limit", flags: ["R"] },
    better: planWindow,
  },
  {
    id: "A112",
    title: "anything",
    evidence: said("something weird happened"),
    peer: { reason: "unknown", flags: ["R"] },
  },
  {
    id: "A113",
    title: "400 that says what",
    evidence: http(400, "Invalid value for parameter 'temperature': must be between 0 and 2"),
    peer: { reason: "format_error", flags: ["R!"] },
  },
  {
    id: "A114",
    title: "400, max_tokens as a name",
    evidence: http(400, {
      error: {
        code: "unsupported_parameter",
        message: "Unsupported parameter: 'max_tokens' is not supported with this model.",
      },
    }),
    peer: { reason: "format_error", flags: ["R!"] },
  },
  {
    id: "A116",
    title: "400, a full context under a general type",
    evidence: http(400, {
      error: {
        type: "invalid_request_error",
        message: "This model's maximum context length is 128000 tokens. However, you requested 150000.",
      },
    }),
    peer: { reason: "context_overflow" },
  },
  { id: "A117", title: "422", evidence: http(422, "Unprocessable"), peer: { reason: "format_error", flags: ["R!"] } },
  {
    id: "A118",
    title: "400, a flat body",
    evidence: http(400, { message: "Invalid 'input[12].name': string does not match pattern." }),
    peer: { reason: "format_error", flags: ["R!"] },
  },
  {
    id: "A120",
    title: "peer closed, large",
    evidence: said(peerClosed),
    peer: { reason: "context_overflow" },
    better: { reason: "network", next: "retry" },
  },
  {
    id: "A121",
    title: "a full context in Chinese",
    evidence: http(400, "超过最大长度限制"),
    peer: { reason: "context_overflow" },
  },
  {
    id: "A122",
    title: "vLLM",
    evidence: http(400, "The prompt is 140000 tokens, which exceeds the max_model_len 131072 of this server"),
    peer: { reason: "context_overflow" },
  },
  {
    id: "A124",
    title: "vLLM",
    evidence: http(400, "input is too long for model"),
    peer: { reason: "context_overflow" },
  },
  { id: "A125", title: "Ollama", evidence: http(400, "context length exceeded"), peer: { reason: "context_overflow" } },
  {
    id: "A126",
    title: "llama.cpp",
    evidence: http(400, "slot context: 4096 tokens, prompt 8192 tokens, truncation disabled"),
    peer: { reason: "context_overflow" },
  },
  {
    id: "A128",
    title: "the message is the body's",
    evidence: http(500, "the actual error"),
    peer: { reason: "server_error", message: "the actual error" },
  },
  { id: "A129", title: "no message", evidence: said(""), peer: { reason: "unknown", flags: ["R"] } },
  { id: "A130", title: "500 with null", evidence: http(500, null), peer: { reason: "server_error" } },
  { id: "A132", title: "500 with a list", evidence: http(500, ["x"]), peer: { reason: "server_error" } },
  {
    id: "A136",
    title: "400, billing",
    evidence: http(400, "insufficient credits for this request"),
    peer: { reason: "billing" },
  },
  {
    id: "A137",
    title: "400, extra usage",
    evidence: http(
      400,
      {
        error: {
          type: "invalid_request_error",
          message: "You're out of extra usage. Add more at claude.ai/settings/usage and keep going.",
        },
      },
      "anthropic",
    ),
    peer: { reason: "billing", flags: ["F", "K", "R!"] },
  },
  {
    id: "A138",
    title: "200 with an error",
    evidence: http(200, { error: { message: "loading" } }),
    peer: { reason: "unknown" },
  },
  {
    id: "A140",
    title: "connection refused",
    evidence: broken("ECONNREFUSED", "connect ECONNREFUSED 127.0.0.1:8080"),
    peer: { reason: "timeout" },
  },
  {
    id: "A141",
    title: "402, words and a time",
    evidence: http(402, "Usage limit reached, try again in 5 minutes"),
    peer: { reason: "rate_limit" },
    better: { ...planWindow, retryAt: Date.parse("2026-10-01T12:05:00Z") },
  },
  {
    id: "A142",
    title: "peer closed, large",
    evidence: said(peerClosed),
    peer: { reason: "context_overflow" },
    better: { reason: "network", next: "retry" },
  },
  { id: "A144", title: "402 in Chinese", evidence: http(402, "余额不足", "deepseek"), peer: { reason: "billing" } },
  {
    id: "A145",
    title: "wrapped, a full context",
    evidence: openrouter(400, { error: { message: "context length exceeded: 50000 > 32768" } }),
    peer: { reason: "context_overflow" },
  },
  {
    id: "A146",
    title: "wrapped, a limit",
    evidence: openrouter(400, { error: { message: "Rate limit exceeded. Please retry after 30s." } }),
    peer: { reason: "rate_limit" },
  },
  {
    id: "A148",
    title: "400 without words, many messages",
    evidence: http(400, "Error"),
    peer: { reason: "context_overflow" },
    better: { reason: "invalid_request", ...stopped },
  },
  {
    id: "A149",
    title: "disconnected, many messages",
    evidence: said(disconnected),
    peer: { reason: "context_overflow" },
    better: { reason: "network", next: "retry" },
  },
  {
    id: "A150",
    title: "wrapped, a model",
    evidence: openrouter(400, { error: { message: "The model gpt-99 does not exist" } }),
    peer: { reason: "model_not_found" },
  },
  {
    id: "A152",
    title: "400, an object for a message",
    evidence: http(400, { error: { message: { detail: "x", nested: true } } }),
    peer: { reason: "format_error", status: 400 },
  },
  {
    id: "A153",
    title: "wrapped, an object for a message",
    evidence: openrouter(400, { error: { message: { detail: "x" } } }),
    peer: { reason: "format_error" },
  },
  {
    id: "A154",
    title: "400, a list for a message",
    evidence: http(400, { message: ["x", "y"] }),
    peer: { status: 400 },
  },
  { id: "A156", title: "500, null for a message", evidence: http(500, { message: null }), peer: { status: 500 } },
  { id: "A157", title: "TLS in words", evidence: said(recordMac), peer: { reason: "timeout", flags: ["R"] } },
  {
    id: "A158",
    title: "TLS in words",
    evidence: said("ERR_SSL_SSL/TLS_ALERT_BAD_RECORD_MAC during streaming"),
    peer: { reason: "timeout", flags: ["R"] },
  },
  {
    id: "A160",
    title: "TLS in words",
    evidence: said("ssl handshake failure during mid-stream"),
    peer: { reason: "timeout", flags: ["R"] },
  },
  {
    id: "A161",
    title: "TLS in words",
    evidence: said("[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol"),
    peer: { reason: "timeout", flags: ["R"] },
  },
  { id: "A162", title: "TLS in words, large", evidence: said(recordMac), peer: { reason: "timeout" } },
  {
    id: "A164",
    title: "TLS as a code",
    evidence: broken("ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC", "bad record mac"),
    peer: { reason: "timeout", flags: ["R"] },
  },
  {
    id: "A165",
    title: "an error class, no status",
    evidence: inStream({ error: { type: "RateLimitError", message: "x" } }, "copilot"),
    peer: { reason: "rate_limit" },
  },
  {
    id: "A166",
    title: "an error class, 429",
    evidence: http(429, { error: { type: "RateLimitError", message: "x" } }, "copilot"),
    peer: { reason: "rate_limit" },
  },
  {
    id: "A168",
    title: "a tool result that is no text",
    evidence: http(400, "Param Incorrect: 'text is not set'", "xiaomi"),
    peer: { reason: "multimodal_tool_content_unsupported", flags: ["R"] },
  },
  {
    id: "A169",
    title: "a tool result that is no text",
    evidence: http(400, "tool message content must be a string"),
    peer: { reason: "multimodal_tool_content_unsupported" },
  },
  {
    id: "A170",
    title: "a tool result that is no text",
    evidence: http(400, "messages.3.content: expected string, got list"),
    peer: { reason: "multimodal_tool_content_unsupported" },
  },
  {
    id: "A172",
    title: "a tool result, no status",
    evidence: said("tool_call.content must be string"),
    peer: { reason: "multimodal_tool_content_unsupported" },
  },
  {
    id: "A173",
    title: "another 400",
    evidence: http(400, "bad request: missing field 'model'"),
    peer: { reason: "format_error" },
  },
  {
    id: "A174",
    title: "429 behind an aggregator",
    evidence: openrouter(429, { error: { message: "Rate limited" } }, "DeepSeek"),
    peer: { reason: "upstream_rate_limit", flags: ["K!", "F"], message: "DeepSeek: Rate limited" },
  },
  {
    id: "A176",
    title: "429 of the aggregator itself",
    evidence: http(429, "Rate limit exceeded: 200 requests per minute", "openrouter"),
    peer: { reason: "rate_limit", flags: ["K"] },
  },
  {
    id: "A177",
    title: "the wrapper's words elsewhere",
    evidence: http(429, "Provider returned error", "anthropic"),
    peer: { reason: "rate_limit", flags: ["K"] },
  },
  {
    id: "A178",
    title: "behind an aggregator, no name",
    evidence: openrouter(429, { error: { message: "Rate limited" } }),
    peer: { reason: "upstream_rate_limit", message: "Rate limited" },
  },
];
