/** Fields of a body, none of them checked yet. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * Parses an answer of an OAuth server: JSON, or a form (GitHub's default). Null for everything else, arrays included. A text
 * counts as a form only with one of the fields that matter in it.
 */
export function parseAnswerBody(raw: string): Fields | null {
  const trimmed = raw.trim();
  try {
    return asObject(JSON.parse(trimmed));
  } catch {
    if (!/^(?:[^\s<>{}]*&)?(?:access_token|refresh_token|error)=[^\s<>{}]*$/.test(trimmed)) return null;
    return Object.fromEntries(new URLSearchParams(trimmed));
  }
}

/** The value as an object of unknown fields; null for arrays and everything else. */
export function asObject(value: unknown): Fields | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

/** Trimmed; null for what is blank or no string. */
export function readText(value: unknown): string | null {
  return typeof value === "string" && value.trim() !== "" ? value.trim() : null;
}

/** A string that may be shown as it is: a terminal would obey control characters. Null for anything else. */
export function readPrintable(value: unknown): string | null {
  const read = readText(value);
  return read !== null && /^[^\p{C}\p{Zl}\p{Zp}]+$/u.test(read) ? read : null;
}
