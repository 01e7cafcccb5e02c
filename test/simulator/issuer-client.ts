import { type RawAnswer, sendRaw } from "./raw-client.ts";

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly id_token: string;
}

/** An answer with its body as JSON; an empty object if it is none. */
export type JsonAnswer = RawAnswer & { readonly body: Record<string, unknown> };

export async function json(url: string, fields: Record<string, unknown>): Promise<JsonAnswer> {
  return withBody(await sendRaw(url, { body: fields }));
}

export async function form(url: string, fields: Record<string, unknown>): Promise<JsonAnswer> {
  const entries = Object.entries(fields).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return withBody(await sendRaw(url, { headers, body: String(new URLSearchParams(entries)) }));
}

export function exchange(issuer: string, fields: Record<string, unknown>): Promise<JsonAnswer> {
  return form(`${issuer}/oauth/token`, { grant_type: "authorization_code", ...fields });
}

/** One part of a JWT: by default its claims. */
export function claimsOf(token: string, part = 1): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split(".")[part] ?? "", "base64url").toString()) as Record<string, unknown>;
}

function withBody(answer: RawAnswer): JsonAnswer {
  try {
    return { ...answer, body: JSON.parse(answer.text) as Record<string, unknown> };
  } catch {
    return { ...answer, body: {} };
  }
}
