/**
 * Codex's sticky routing: the backend answers with `x-codex-turn-state`, and the client sends it back with the next request of
 * the same turn. It means something to the account that gave it and to no other.
 *
 * So the value goes to the caller with the id of its credential in front, and comes off again only for that credential. Nothing has
 * to be remembered: it works over restarts and over workers. A value that we never marked is of unknown origin and goes to nobody.
 */
export const turnStateHeader = "x-codex-turn-state";

const mark = "us1.";

/** The value as the caller is to keep it. */
export function sealTurnState(value: string, credentialId: string): string {
  return `${mark}${nameOf(credentialId)}.${value}`;
}

/** The value as the backend gave it, if this credential got it; else null. */
export function openTurnState(value: string, credentialId: string): string | null {
  const own = `${mark}${nameOf(credentialId)}.`;
  return value.startsWith(own) ? value.slice(own.length) : null;
}

function nameOf(credentialId: string): string {
  return encodeURIComponent(credentialId.toWellFormed()).replaceAll(".", "%2E");
}

/** A caller's headers as they go to an upstream with this credential. */
export function headersForCredential(
  headers: Readonly<Record<string, string>>,
  credentialId: string,
): Readonly<Record<string, string>> {
  const { [turnStateHeader]: state, ...rest } = headers;
  if (state === undefined) return headers;
  const opened = openTurnState(state, credentialId);
  return opened === null ? rest : { ...rest, [turnStateHeader]: opened };
}
