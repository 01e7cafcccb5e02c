import type { ProvenRow } from "../row.ts";

/** What the request says: content that is refused, and reasoning that only its issuer can read. */
export const contentRows: readonly ProvenRow[] = [
  {
    // The Codex backend reports undecipherable reasoning under a code that means something else everywhere else.
    name: "codex-masked-encrypted-content",
    where: { providers: ["codex"] },
    match: { code: ["invalid_prompt"], message: /^(?:invalid_prompt: )?request blocked\b/i },
    reason: "invalid_encrypted_content",
    fixture: "codex-masked-encrypted-content.json",
    source: "OpenAI Codex backend; Hermes' newest classifier",
  },
  {
    name: "encrypted-content",
    match: { code: ["invalid_encrypted_content"] },
    reason: "invalid_encrypted_content",
    fixture: "encrypted-content.json",
    source: "OpenAI Responses; Hermes #33795",
  },
  {
    name: "content-policy",
    match: {
      code: [
        "content_policy_violation",
        "content_policy",
        "content_filter",
        "invalid_prompt",
        "cyber_policy",
        "cyber_policy_violation",
        "moderation_blocked",
        "ResponsibleAIPolicyViolation",
        "safety_check_failed",
        "DataInspectionFailed",
        "data_inspection_failed",
        "1301",
      ],
    },
    reason: "content_policy",
    fixture: "content-policy.json",
    source: "OpenAI, Azure, Moonshot, DashScope and Z.AI error references; OpenAI Codex",
  },
  {
    name: "finish-content-policy",
    match: { finishReason: ["content_filter", "refusal", "safety", "sensitive", "prohibited_content", "recitation"] },
    reason: "content_policy",
    fixture: "finish-content-policy.json",
    source: "OpenAI chat finish_reason; Anthropic stop_reason; Z.AI; Gemini",
  },
  {
    name: "xiaomi-content-policy",
    where: { providers: ["xiaomi"] },
    match: { status: [421] },
    reason: "content_policy",
    fixture: "xiaomi-content-policy.json",
    source: "Xiaomi MiMo error codes: 421 is its content filter",
  },
  {
    name: "encrypted-content-words",
    match: {
      status: [0, 400],
      message:
        /encrypted content for item [^.]{0,120}could not be verified|invalid_encrypted_content|signature\W{1,4}in\W{1,4}thinking|thinking [^.]{0,120}(?:signature|cannot be modified|must remain as they were)/i,
    },
    reason: "invalid_encrypted_content",
    fixture: "encrypted-content-words.json",
    source: "OpenAI Responses; Anthropic API (anthropics/claude-code #10627)",
  },
  {
    // Reasoning that another account or provider stored, or that lost what belongs to it on the way.
    name: "stored-item-words",
    match: {
      status: [0, 400, 404],
      message:
        /\bitem with id '[^']{1,80}' not found\b|\bof type 'reasoning' was provided without its required following item|\bwithout its required 'reasoning' item\b/i,
    },
    reason: "invalid_encrypted_content",
    fixture: "stored-item-words.json",
    source: "OpenAI Responses (vercel/ai #7099, #7543; anomalyco/opencode #7724)",
  },
  {
    // What whoever answered before left beside the answer, refused as a field that is unknown.
    name: "reasoning-unwanted-words",
    match: {
      status: [0, 400, 422],
      message:
        /\bmessages\b.{0,120}\b(?:reasoning(?:_content|_details)?|extra_content)\b.{0,40}\b(?:unsupported|unexpected|unrecognized|unknown|not (?:supported|permitted|allowed))\b|\b(?:unsupported|unexpected|unrecognized|unknown)\b[^.]{0,40}\b(?:reasoning_(?:content|details)|extra_content)\b/i,
    },
    reason: "invalid_encrypted_content",
    fixture: "reasoning-unwanted-words.json",
    source:
      "Groq (NousResearch/hermes-agent #11089), Cerebras (Kilo-Org/kilocode #10375), Mistral (BerriAI/litellm #30835)",
  },
  {
    // The opposite: while they think, some want reasoning beside the answers of others, too.
    name: "reasoning-missing-words",
    match: {
      status: [0, 400],
      message: /\breasoning_content\b.{0,60}\bmissing\b|\bthinking mode must be passed back\b/i,
    },
    reason: "invalid_encrypted_content",
    fixture: "reasoning-missing-words.json",
    source: "Kimi (theopenco/llmgateway #2093); DeepSeek (NousResearch/hermes-agent #17341)",
  },
  {
    name: "signature-missing-words",
    match: { status: [0, 400], message: /\bmissing a `?thought_signature\b/i },
    reason: "invalid_encrypted_content",
    fixture: "signature-missing-words.json",
    source: "Gemini 3 (vercel/ai #15550)",
  },
  {
    name: "codex-unsupported-content",
    where: { providers: ["codex"] },
    match: { status: [400], message: /^unsupported content type\b/i },
    reason: "invalid_encrypted_content",
    fixture: "codex-unsupported-content.json",
    source: "OpenAI Codex backend; Hermes' newest classifier",
  },
  {
    name: "content-policy-words",
    match: {
      message:
        /flagged for possible cybersecurity risk|trusted access for cyber|violat\w{1,5} (?:our|openai's|the) (?:usage|content) polic|(?:request|prompt|input) was flagged|cannot be generated due to safety|content[ _]filter|content management policy|ResponsibleAIPolicyViolation|considered high risk|new_sensitive|敏感内容/i,
    },
    reason: "content_policy",
    fixture: "content-policy-words.json",
    source: "Hermes' list of content refusals; OpenRouter moderation (403), Azure, Moonshot",
  },
];
