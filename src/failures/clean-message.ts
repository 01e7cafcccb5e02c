/** The longest message of a failure, in characters. */
export const longestMessage = 500;

const blank = "[secret]";

/** What looks like a secret, whoever issued it. Providers do echo keys: "Incorrect API key provided: sk-…". */
const secrets: readonly { readonly pattern: RegExp; readonly replacement: string }[] = [
  // JSON Web Tokens, whole or cut short.
  { pattern: /\beyJ[\w-]{6,}(?:\.[\w*-]+){0,4}/g, replacement: blank },
  // "Bearer authentication" is no secret: a value has a digit, or is long.
  {
    pattern: /\b(Bearer|Basic)\s+(?:(?=[\w.~+/=*-]{0,200}[\d=*])[\w.~+/=*-]{6,}|[\w.~+/=*-]{16,})/gi,
    replacement: `$1 ${blank}`,
  },
  // Keys with an issuer's prefix, also when the provider has starred out their middle.
  {
    pattern:
      /\b(?:sk|pk|rk|rt|xai|gsk|ghp|gho|ghu|ghs|ghr|github_pat|hf|r8|npm|pplx|fw|csk|nvapi|tgp|glpat|sess|oat|sid)[-_][\w.*…-]{6,}/gi,
    replacement: blank,
  },
  { pattern: /\b(?:AIza|ya29\.|AKIA|ASIA)[\w.*-]{8,}/g, replacement: blank },
  {
    pattern:
      /((?:api[ _-]?key|(?:access|refresh|id|auth|session)[ _-]?token|client[ _-]?secret|authorization|password|passwd)(?:["']?\s*[:=]|\s+provided\s*:)\s*["']?)[^\s"',;&}]{4,}/gi,
    replacement: `$1${blank}`,
  },
  { pattern: /([?&](?:key|token|code|secret|sig|signature)=)[^\s"'&]+/gi, replacement: `$1${blank}` },
  // Long and mixed enough to be nothing that a person would read.
  { pattern: /\b(?=[\w-]{0,200}\d)(?=[\w-]{0,200}[a-z])[\w-]{40,}={0,2}/gi, replacement: blank },
];

/** One line of at most `longestMessage` characters, without control characters and without what looks like a secret. */
export function cleanMessage(text: string): string {
  // What is cut off here could not have been shown anyway; it only bounds the work.
  let line = text
    .slice(0, 8 * longestMessage)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ")
    .toWellFormed()
    .trim();
  for (const { pattern, replacement } of secrets) line = line.replace(pattern, replacement);
  return line.length <= longestMessage ? line : `${line.slice(0, longestMessage - 1).toWellFormed()}…`;
}
