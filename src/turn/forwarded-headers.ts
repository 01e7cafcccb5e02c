import { sealTurnState, turnStateHeader } from "./turn-state.ts";

/**
 * Headers that pass between the caller and an upstream of the same protocol. Allow-lists: whatever is not named stays
 * behind, above all the caller's credentials and hop-by-hop headers.
 */
const requestHeaders = new Set([
  "anthropic-beta",
  "anthropic-version",
  "openai-beta",
  "session-id",
  "session_id",
  "thread-id",
  "x-client-request-id",
  "x-openai-internal-codex-responses-lite",
]);
const requestPrefixes = ["x-codex-"];

const responseHeaders = new Set([
  "request-id",
  "x-request-id",
  "x-oai-request-id",
  "openai-model",
  "openai-processing-ms",
]);
const responsePrefixes = ["x-codex-", "x-ratelimit-", "anthropic-ratelimit-", "x-reasoning-", "x-models-"];

/** The caller's headers that go on to the upstream. Lower-case names. */
export function forwardRequestHeaders(headers: Iterable<[string, string]>): Record<string, string> {
  return pick(headers, requestHeaders, requestPrefixes);
}

/** The upstream's headers that go back to the caller, from this credential's answer. Lower-case names. */
export function forwardResponseHeaders(
  headers: Readonly<Record<string, string>>,
  credentialId: string,
): Record<string, string> {
  const picked = pick(Object.entries(headers), responseHeaders, responsePrefixes);
  const state = picked[turnStateHeader];
  if (state !== undefined) picked[turnStateHeader] = sealTurnState(state, credentialId);
  return picked;
}

/** Which of the names seen so far go on, by the list they are looked up in. Names as they came; clients and servers use few. */
const seen = new WeakMap<ReadonlySet<string>, Map<string, string | null>>();
const seenLimit = 1_000;

function pick(
  headers: Iterable<[string, string]>,
  names: ReadonlySet<string>,
  prefixes: readonly string[],
): Record<string, string> {
  let known = seen.get(names);
  if (known === undefined) seen.set(names, (known = new Map()));
  const picked: Record<string, string> = {};
  for (const [name, value] of headers) {
    let taken = known.get(name);
    if (taken === undefined) {
      const lower = name.toLowerCase();
      taken = names.has(lower) || prefixes.some((prefix) => lower.startsWith(prefix)) ? lower : null;
      if (known.size < seenLimit) known.set(name, taken);
    }
    if (taken !== null) picked[taken] = value;
  }
  return picked;
}
