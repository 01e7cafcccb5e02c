import type { ProvenRow } from "../row.ts";

/**
 * The request itself. What nobody would answer stops the turn; what only this model does not take (`next_target`) lets it
 * go on elsewhere. No row here counts against a login for all its models.
 */
export const requestRows: readonly ProvenRow[] = [
  {
    name: "context-overflow",
    match: {
      code: [
        "context_length_exceeded",
        "context_window_exceeded",
        "max_tokens_exceeded",
        "model_max_prompt_tokens_exceeded",
        "1261",
      ],
    },
    reason: "context_overflow",
    fixture: "context-overflow.json",
    source: "OpenAI error codes; GitHub Copilot; Z.AI; Hermes' body codes",
  },
  {
    name: "finish-context-overflow",
    match: { finishReason: ["model_context_window_exceeded"] },
    reason: "context_overflow",
    fixture: "finish-context-overflow.json",
    source: "Anthropic stop_reason; Z.AI finish_reason",
  },
  {
    name: "payload-too-large",
    match: {
      code: [
        "request_too_large",
        "payload_too_large",
        "request_entity_too_large",
        "string_above_max_length",
        "array_above_max_length",
        "image_too_large",
        "file_too_large",
      ],
    },
    reason: "payload_too_large",
    fixture: "payload-too-large.json",
    source: "Anthropic API errors; OpenAI error codes",
  },
  {
    // "Does not exist or you do not have access to it": another account may have it.
    name: "model-missing-or-no-access",
    match: { code: ["model_not_found"], message: /access/i },
    reason: "model_not_found",
    scope: "credential_model",
    next: "next_credential",
    fixture: "model-missing-or-no-access.json",
    source: "OpenAI error codes",
  },
  {
    name: "model-missing",
    match: {
      code: [
        "model_not_found",
        "model_not_available",
        "model_deprecated",
        "invalid_model",
        "ModelNotFound",
        "ModelError",
        "resource_not_found_error",
        "1211",
      ],
    },
    reason: "model_not_found",
    fixture: "model-missing.json",
    source: "OpenAI error codes; Moonshot, DashScope, Z.AI, OpenCode Zen; Hermes' body codes",
  },
  {
    name: "model-parameter",
    match: { status: [400, 404], param: ["model"] },
    reason: "model_not_found",
    fixture: "model-parameter.json",
    source: "OpenAI: invalid_request_error that names only the parameter model",
  },
  {
    name: "not-by-this-model",
    match: {
      code: ["unsupported_parameter", "unsupported_value", "unsupported_api_for_model"],
    },
    reason: "invalid_request",
    next: "next_target",
    fixture: "not-by-this-model.json",
    source: "OpenAI error codes; GitHub Copilot",
  },
  {
    name: "malformed",
    match: {
      code: [
        "unknown_parameter",
        "missing_required_parameter",
        "invalid_type",
        "invalid_value",
        "invalid_json",
        "invalid_function_parameters",
        "invalid_image_format",
        "invalid_base64_image",
        "previous_response_not_found",
        "empty_string",
        "integer_below_min_value",
        "integer_above_max_value",
        "decimal_above_max_value",
        "InvalidParameter",
        "1210",
        "1213",
        "1214",
      ],
    },
    reason: "invalid_request",
    fixture: "malformed.json",
    source: "OpenAI error codes; DashScope; Z.AI",
  },
  {
    name: "status-413",
    match: { status: [413] },
    reason: "payload_too_large",
    fixture: "status-413.json",
    source: "RFC 9110 §15.5.14",
  },
  {
    name: "context-overflow-words",
    match: {
      message:
        /context[ _](?:length|size|window)[^.]{0,60}(?:exceed|too (?:long|large|small)|overflow)|exceed\w{0,3} [^.]{0,60}(?:context|max_model_len|model token limit|maximum number of (?:input )?tokens)|maximum (?:context|model|prompt) (?:length|is)|max_model_len|prompt is too long|prompt exceeds max length|(?:input|input token length|input length) (?:is )?too long|input token count[^.]{0,60}exceeds|too many tokens|reduce the length of|slot context|truncating input|greater than the context length|prompt token count of [^.]{0,40}exceeds|range of input length should be|超过最大长度|上下文长度|prompt 超长/i,
    },
    reason: "context_overflow",
    fixture: "context-overflow-words.json",
    source:
      "Hermes' list of overflow messages, without its single words; Anthropic, xAI, vLLM, llama.cpp, Ollama, Moonshot, DashScope",
  },
  {
    name: "payload-too-large-words",
    match: {
      message:
        /(?:request entity|payload|request body) too large|image(?: size)? (?:exceeds|is too large|too large)|image_too_large|image dimensions exceed|dimensions exceed max allowed size/i,
    },
    reason: "payload_too_large",
    fixture: "payload-too-large-words.json",
    source: "Anthropic API (images), nginx; Hermes' lists of payload and image messages",
  },
  {
    name: "model-missing-words",
    match: {
      status: [0, 400, 404, 410, 422],
      message:
        /\bmodel\b[^.]{0,100}(?:(?:does )?not exist|not found|no longer (?:available|exists)|has been (?:retired|deprecated|removed|shut down)|is deprecated)|is not a valid model|\b(?:no such|unknown|invalid|unsupported|unrecognized) model\b|model_not_found|no endpoints found (?:for|that support)|no models? loaded|模型不存在/i,
    },
    reason: "model_not_found",
    fixture: "model-missing-words.json",
    source: "OpenRouter, DeepSeek, vLLM, Ollama, LM Studio, Anthropic; Hermes' list of unknown models",
  },
  {
    name: "not-by-this-model-words",
    match: {
      status: [0, 400, 422],
      message:
        /unsupported parameter\b|parameter is not supported|does not support (?:tools?|functions?|images?|image input|multimodal|vision|streaming|reasoning|thinking|system)|(?:multimodal|vision|image|image_url)(?: content| input)? is not supported|only '?text'? content type is supported|image_url'?\. expected|text is not set|tool message content must be a string|tool(?: message)? (?:content )?must be a string|tool_call\.content must be string|expected string, got (?:list|array)|argument not supported on this model|does not support parameter\b/i,
    },
    reason: "invalid_request",
    next: "next_target",
    fixture: "not-by-this-model-words.json",
    source:
      "Hermes' lists (tool content as text, images); OpenAI Codex backend, Ollama, Gemini, Z.AI, vLLM; xAI (charmbracelet/crush #386)",
  },
  {
    // A tool's schema that others take. xAI says no more than this; the tools are what it was found to mean.
    name: "schema-refused-words",
    match: {
      status: [0, 400, 422],
      message:
        /^invalid arguments passed to the model\b|error parsing grammar|json-schema-to-grammar|unable to generate parser|regex lookaround is not supported|only 'enum' and 'date-time' are supported for string/i,
    },
    reason: "invalid_request",
    next: "repair",
    fixture: "schema-refused-words.json",
    source:
      "xAI (NousResearch/hermes-agent #28021, #27197), llama.cpp (#18530), OpenAI (#42631), Gemini (google-gemini/gemini-cli #2706)",
  },
];
