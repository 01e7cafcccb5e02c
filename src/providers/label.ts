import { UnderstudyError } from "../core/error.ts";
import { cleanMessage } from "../failures/clean-message.ts";

/** Line breaks, what a terminal obeys, and what turns the order of the words around it (Unicode UAX #9). */
export const steeringCharacter: RegExp = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;

/** Throws `usage` for what can't be told from something else, or steers a terminal. */
export function checkLabel(label: string): void {
  if (looksLikeKey(label)) {
    throw new UnderstudyError("usage", "the label looks like a key; a label is shown wherever the credential is named");
  }
  const problem =
    label.trim() === ""
      ? "is empty"
      : label.length > 100
        ? "is longer than 100 characters"
        : steeringCharacter.test(label)
          ? "holds control characters"
          : null;
  if (problem !== null) throw new UnderstudyError("usage", `the label ${problem}`);
}

/** True for what may well be a key or token, so that it must not be repeated. */
export function looksLikeKey(text: string): boolean {
  if (cleanMessage(text).includes("[secret]")) return true;
  return text.split(/[^A-Za-z0-9]/).some((run) => run.length >= 20 && /\d/.test(run) && /[A-Za-z]/.test(run));
}
