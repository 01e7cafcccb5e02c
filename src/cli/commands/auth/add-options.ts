import { UnderstudyError } from "../../../core/error.ts";
import { looksLikeKey } from "../../find-provider.ts";

/** What `auth add` was told. */
export interface AddOptions {
  readonly label?: string;
  readonly forceNewLogin?: boolean;
  readonly browser?: boolean;
  readonly device?: boolean;
  readonly qr?: boolean;
  readonly apiKeyStdin?: boolean;
  readonly from?: string;
}

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
