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
  const picked: Record<string, string> = {};
  for (const [name, value] of headers) {
    const taken = takenAs(name, asked);
    if (taken !== null) picked[taken] = value;
  }
  return picked;
}

/** The same of headers as Node's server gives them: name, value, name, value. */
export function forwardRawHeaders(raw: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const taken = takenAs(raw[i] ?? "", asked);
    if (taken !== null) picked[taken] = raw[i + 1] ?? "";
  }
  return picked;
}

/** The upstream's headers that go back to the caller, from this credential's answer. Lower-case names. */
export function forwardResponseHeaders(
  headers: Readonly<Record<string, string>>,
  credentialId: string,
): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name in headers) {
    const taken = takenAs(name, answered);
    if (taken !== null) picked[taken] = headers[name] ?? "";
  }
  const state = picked[turnStateHeader];
  if (state !== undefined) picked[turnStateHeader] = sealTurnState(state, credentialId);
  return picked;
}

/** A list of names, and what it says of those seen so far, as they came: clients and servers use few. */
interface AllowList {
  readonly names: ReadonlySet<string>;
  readonly prefixes: readonly string[];
  readonly known: Map<string, string | null>;
}

const asked: AllowList = { names: requestHeaders, prefixes: requestPrefixes, known: new Map() };
const answered: AllowList = { names: responseHeaders, prefixes: responsePrefixes, known: new Map() };
const knownLimit = 1_000;

/** The name under which a header goes on; null when it does not. */
function takenAs(name: string, { names, prefixes, known }: AllowList): string | null {
  let taken = known.get(name);
  if (taken === undefined) {
    const lower = name.toLowerCase();
    taken = names.has(lower) || prefixes.some((prefix) => lower.startsWith(prefix)) ? lower : null;
    if (known.size < knownLimit) known.set(name, taken);
  }
  return taken;
}
