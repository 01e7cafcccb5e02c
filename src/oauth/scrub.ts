import type { Secret } from "../core/secret.ts";
import { cleanMessage } from "../failures/clean-message.ts";

/** Longest text that a sign-in server's own words may add to a message, in characters. */
export const maxDescriptionLength = 300;

const hidden = "[secret]";

/** Sign-in servers speak of codes and verifiers, which are shorter than keys and named in more ways. */
const oauthShapes: readonly { readonly shape: RegExp; readonly replacement: string }[] = [
  // code=…, "device_code":"…", verifier: …
  {
    shape: /(\b[\w-]*(?:token|secret|verifier|code)["']?\s*[=:]\s*["']?)(?!\[secret\])[^\s"'&,;)}\]]{6,}/gi,
    replacement: `$1${hidden}`,
  },
  // 20 and more characters without a blank, with a digit or mixed case in them. Words_like_this stay.
  {
    shape: /(?<![\w.+/=~-])(?=[\w.+/=~-]*(?:\d|[a-z][A-Z]|[A-Z]{2}[a-z]))[\w.+/=~-]{20,}/g,
    replacement: hidden,
  },
];

/**
 * Makes a sign-in server's words fit to be read by a person, on one line: `known` secrets and whatever looks like one are
 * replaced, and the rest is cut at `maxDescriptionLength`. Better a request id lost than a token shown (rule R8).
 */
export function scrubText(text: string, known: readonly Secret[] = []): string {
  let clean = text;
  for (const secret of known) {
    const value = secret.reveal();
    if (value !== "") clean = clean.replaceAll(value, hidden);
  }
  clean = cleanMessage(clean);
  for (const { shape, replacement } of oauthShapes) clean = clean.replaceAll(shape, replacement);
  return clean.length > maxDescriptionLength ? `${clean.slice(0, maxDescriptionLength - 1).toWellFormed()}…` : clean;
}
