import { Secret } from "../../core/secret.ts";

/**
 * What another tool's file holds that could come over: read, and not judged yet. Nothing is trusted; a text is kept as it stands
 * there, and what is missing is null.
 */
export interface Found {
  readonly credentials: readonly FoundCredential[];
  /** What can't come over whatever its state, and why. */
  readonly leftOut: readonly LeftOut[];
  readonly targets: readonly FoundTarget[];
  readonly strategies: readonly FoundStrategy[];
  readonly providers: readonly FoundProvider[];
}

export type FoundCredential = FoundLogin | FoundKey;

interface FoundBase {
  /** Where in the file, for a person: `tokens`, `credential_pool.openrouter[1]`. */
  readonly place: string;
  /** As the other tool calls it. */
  readonly provider: string;
  readonly label: string | null;
}

/** A pair of tokens. */
export interface FoundLogin extends FoundBase {
  readonly kind: "login";
  readonly accessToken: Secret | null;
  readonly refreshToken: Secret | null;
  readonly idToken: Secret | null;
  /** The account that the file says the tokens are for. */
  readonly accountId: string | null;
  /** Who made the grant and for which client, where the file says so. */
  readonly issuer: string | null;
  readonly clientId: string | null;
  /** Unix ms, where the file says so. */
  readonly expiresAt: number | null;
  /** Why the other tool itself has given it up; null when it has not. */
  readonly ended: string | null;
}

/** An API key, or the variable that holds one. */
export interface FoundKey extends FoundBase {
  readonly kind: "key";
  readonly key: Secret | null;
  readonly variable: string | null;
  /** Where the other tool sends it. */
  readonly baseUrl: string | null;
}

export interface LeftOut {
  readonly place: string;
  readonly reason: string;
}

/** One step of a fallback chain. */
export interface FoundTarget {
  readonly place: string;
  readonly provider: string;
  readonly model: string;
  readonly baseUrl: string | null;
}

export interface FoundStrategy {
  readonly provider: string;
  readonly strategy: string;
}

/** A provider of the person's own. */
export interface FoundProvider {
  readonly place: string;
  readonly name: string;
  readonly baseUrl: string;
  /** As the other tool calls its protocol; null when it does not say. */
  readonly mode: string | null;
  readonly variable: string | null;
}

/** A reader's result; the reason is a sentence for a person, without anything of the file in it. */
export type ReadResult = { readonly ok: true; readonly found: Found } | { readonly ok: false; readonly reason: string };

export const nothingFound: Found = { credentials: [], leftOut: [], targets: [], strategies: [], providers: [] };

/** Fields of a parsed file, none of them checked yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** The value as fields; null for lists and everything else. */
export function asFields(value: unknown): Fields | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

/** Trimmed; null for what is blank or no string. */
export function textOf(value: unknown): string | null {
  return typeof value === "string" && value.trim() !== "" ? value.trim() : null;
}

export function secretOf(value: unknown): Secret | null {
  const text = textOf(value);
  return text === null ? null : new Secret(text);
}

/** A JSON file's fields. A file that another tool is just writing may be cut off: that is a reason, not an empty file. */
export function parseFields(text: string): Fields | null {
  try {
    return asFields(JSON.parse(text.replace(/^\uFEFF/, "")));
  } catch {
    return null;
  }
}

export const unreadable: ReadResult = {
  ok: false,
  reason: "it can't be read as JSON; if its tool is writing it just now, try again",
};
