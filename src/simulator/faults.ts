/**
 * Everything a model backend can do. `answer` rows are good answers. The rest are faults:
 *
 * - `refused`: an HTTP error before any answer.
 * - `in-stream`: HTTP 200, and the failure inside the answer. For a request that is no stream, the Responses backends put it
 *   into the body of a 200; the others have no such form and answer with the HTTP error that is nearest.
 * - `staged`: the bytes themselves go wrong: cut, held, malformed.
 */
export type FaultKind = "answer" | "refused" | "in-stream" | "staged";

interface Row {
  readonly kind: FaultKind;
  readonly doc: string;
}

const table = {
  answer: { kind: "answer", doc: "Text made from the prompt, or the text given" },
  "tool-call": { kind: "answer", doc: "One call of the request's first tool, or the calls given" },
  "parallel-tool-calls": { kind: "answer", doc: "Two calls side by side" },
  reasoning: { kind: "answer", doc: "Reasoning that only this backend can read again, then text" },
  "long-answer": { kind: "answer", doc: "About 8 kB of text in some 200 events" },
  "output-limit": { kind: "answer", doc: "Text that ends because the output limit is reached" },

  "quota-exhausted": { kind: "refused", doc: "The plan's window is used up: 429 with its reset" },
  "burst-limit": { kind: "refused", doc: "Too fast: 429 with a short Retry-After" },
  overloaded: { kind: "refused", doc: "No capacity: 503, Anthropic 529" },
  "server-error": { kind: "refused", doc: "500" },
  unauthorized: { kind: "refused", doc: "401; `code` says which: token_expired, token_invalidated, invalid_api_key" },
  forbidden: { kind: "refused", doc: "403 with a readable body: this credential may not" },
  billing: { kind: "refused", doc: "402: nothing left to pay with" },
  "credit-balance": { kind: "refused", doc: "Anthropic's 400 that says the credit balance is too low" },
  "model-not-found": { kind: "refused", doc: "404: no such model" },
  entitlement: { kind: "refused", doc: "This account may not use this model: Codex 400 with a detail, OpenAI 403" },
  "context-overflow": { kind: "refused", doc: "400: the input is longer than the context window" },
  "payload-too-large": { kind: "refused", doc: "413" },
  "content-policy": { kind: "refused", doc: "400: the content was refused" },
  "invalid-request": { kind: "refused", doc: "400: the request is wrong and would be wrong anywhere" },
  "invalid-encrypted-content": { kind: "refused", doc: "400: sealed reasoning that this credential did not make" },
  "waf-page": { kind: "refused", doc: "403 with a firewall's HTML page" },
  "html-502": { kind: "refused", doc: "502 with a proxy's HTML page" },
  "empty-500": { kind: "refused", doc: "500 without a body" },
  redirect: { kind: "refused", doc: "302 to another origin, which must never see the credential" },
  "echo-key": { kind: "refused", doc: "401 whose message repeats the whole key or token that was sent" },

  "soft-quota": { kind: "in-stream", doc: "The plan's window is used up, said inside a 200" },
  "soft-burst-limit": { kind: "in-stream", doc: "Too fast, said inside a 200" },
  "overloaded-in-stream": { kind: "in-stream", doc: "No capacity, said inside a 200" },
  "soft-failed": { kind: "in-stream", doc: "A server error inside a 200" },
  "soft-failed-without-status": { kind: "in-stream", doc: "response.failed whose response has no status" },
  "soft-cancelled": { kind: "in-stream", doc: "response.cancelled with status cancelled" },
  "soft-context-overflow": { kind: "in-stream", doc: "The input is too long, said inside a 200" },
  "soft-content-policy": { kind: "in-stream", doc: "The content was refused, said inside a 200" },
  "error-event": { kind: "in-stream", doc: "A bare error event, after which the stream ends" },

  "broken-json-200": { kind: "staged", doc: "200 application/json whose JSON breaks off" },
  "json-instead-of-sse": { kind: "staged", doc: "A stream was asked for; a whole JSON answer comes" },
  "html-200": { kind: "staged", doc: "200 with an HTML page" },
  "empty-stream": { kind: "staged", doc: "200 that ends without one event or byte" },
  "no-terminal": { kind: "staged", doc: "Ends cleanly without its terminal event; `after` says how far it came" },
  "no-done": { kind: "staged", doc: "Chat completions: complete, but without [DONE]" },
  "cut-before-headers": { kind: "staged", doc: "The connection is destroyed before any byte" },
  "cut-in-head": { kind: "staged", doc: "The connection is destroyed inside the headers" },
  "cut-mid-text": { kind: "staged", doc: "The connection is destroyed halfway through the text" },
  "cut-mid-tool-call": { kind: "staged", doc: "The connection is destroyed halfway through a tool call" },
  reset: { kind: "staged", doc: "TCP reset; before any byte, or `after` some of it" },
  "no-headers": { kind: "staged", doc: "Nothing at all until released; then the connection is destroyed" },
  silence: { kind: "staged", doc: "Headers, then nothing until released; then the connection is destroyed" },
  "slow-first-event": { kind: "staged", doc: "Headers, then nothing until released; then the whole answer" },
  "stall-mid-text": { kind: "staged", doc: "Half the text, then nothing until released; then the rest" },
  "keep-alive-only": {
    kind: "staged",
    doc: "The frame of an answer, comments or pings, then nothing until released; then the rest",
  },
  "malformed-event": { kind: "staged", doc: "An event halfway through the text whose data is no JSON; then the rest" },
  "unknown-event": { kind: "staged", doc: "An event of a type that nobody knows, first of all; then the answer" },
  "huge-event": { kind: "staged", doc: "One event of 17 MiB before the answer" },
} as const satisfies Record<string, Row>;

/** The name of a good answer or of a fault. */
export type BehaviourName = keyof typeof table;

type NamesOf<K extends FaultKind> = {
  [N in BehaviourName]: (typeof table)[N]["kind"] extends K ? N : never;
}[BehaviourName];
export type AnswerName = NamesOf<"answer">;
export type FaultName = Exclude<BehaviourName, AnswerName>;
export type RefusedName = NamesOf<"refused">;
export type InStreamName = NamesOf<"in-stream">;
export type StagedName = NamesOf<"staged">;

/** Name → kind and what it does. */
export const behaviours: Readonly<Record<BehaviourName, Row>> = table;

const names = Object.keys(table) as BehaviourName[];

/** The good answers. */
export const answerNames: readonly AnswerName[] = names.filter((name): name is AnswerName => isKind(name, "answer"));

/** All faults, for tests that go through every one of them. Not every backend has every one: see `supports`. */
export const faultNames: readonly FaultName[] = names.filter((name): name is FaultName => !isKind(name, "answer"));

/** The failures inside a 200. */
export const inStreamNames: readonly InStreamName[] = names.filter((name): name is InStreamName =>
  isKind(name, "in-stream"),
);

export function isKind(name: BehaviourName, kind: "answer"): name is AnswerName;
export function isKind(name: BehaviourName, kind: "refused"): name is RefusedName;
export function isKind(name: BehaviourName, kind: "in-stream"): name is InStreamName;
export function isKind(name: BehaviourName, kind: "staged"): name is StagedName;
export function isKind(name: BehaviourName, kind: FaultKind): boolean {
  return behaviours[name].kind === kind;
}
