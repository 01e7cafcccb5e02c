import type { Usage } from "../core/events.ts";
import type { ProtocolName } from "../core/target.ts";
import type { Evidence } from "../failures/evidence.ts";
import type { CanonicalRequest, Json, JsonObject, Part, Tool } from "./canonical.ts";
import type { JsonBytes } from "./json-bytes.ts";
import type { EventShape } from "./alike-events.ts";
import type { SseEvent } from "./sse.ts";

/**
 * What one wire protocol can do. `responses/`, `chat-completions/` and `messages/` each implement it with the same
 * file names: `request.ts` (canonical ↔ request), `stream.ts` (what an event means for the turn), `decode.ts` (stream or answer
 * → parts), `encode.ts` (parts → stream or answer), `error.ts` (error bodies both ways), `index.ts`.
 */
export interface Protocol {
  readonly name: ProtocolName;

  /** The URL to POST to, given a provider's base URL (with or without trailing slash). */
  endpoint(baseUrl: string): string;
  /** Headers that carry the secret, and those the protocol always needs. Lower-case names. */
  headers(secret: string): Record<string, string>;

  /** Canonical → this wire. `dropped` lists in words what could not be carried. */
  encodeRequest(request: CanonicalRequest, model: string): { body: JsonObject; dropped: string[] };
  /** This wire → canonical. Throws `UnderstudyError` `request_refused` naming the field that can't be read. */
  decodeRequest(body: JsonObject): { request: CanonicalRequest; dropped: string[] };
  /**
   * Takes out of a request what only its issuer can read: encrypted reasoning, signatures. Null when nothing was there. With
   * `isForeign` only what it says of, asked for each encrypted text or signature.
   */
  repairRequest(body: JsonObject, isForeign?: (seal: string) => boolean): JsonObject | null;
  /**
   * Takes out of a request's text what answers of others have left in the caller's history and the provider would refuse: reasoning that
   * we translated, ids of calls that servers with laxer rules made. For a body that is passed on in its own protocol; the text
   * itself when there is nothing to take out. `set` are the top-level members that the provider's rules will set.
   */
  readonly cleanRequest?: (text: string, set?: Readonly<Record<string, Json>>) => string;
  /** False only when `cleanRequest` would give the same text back, whatever it is told. For a body that is not decoded. */
  readonly mayNeedCleaning?: (json: JsonBytes) => boolean;
  /** Writes the history of a request as a provider with this habit insists on it. Null when it is so already. */
  readonly fitHistory?: (body: JsonObject, habit: HistoryHabit) => JsonObject | null;

  /**
   * Asks for the rest of an answer that broke off behind `said`: as the beginning of the model's own answer where it is known to go on from
   * one and `mayPrefill` allows it, else as a past answer with a word of the user behind it. See `go-on.ts`.
   */
  askToGoOn(body: JsonObject, said: string, mayPrefill: boolean): { body: JsonObject; prefilled: boolean };

  /**
   * Follows one answer's stream: what each event means for the turn. `asked` gives the text of the request as it was sent; it is read only
   * where the stream alone does not tell whether it is whole.
   */
  createStreamReader(asked?: () => string): StreamReader;
  /** The same for a whole answer that is not a stream. */
  readAnswer(body: unknown): AnswerVerdict;
  /** Reads an error answer (status ≥ 400, or a 200 whose body is no answer) as evidence. Never throws, for any text. */
  readError(status: number, headers: Readonly<Record<string, string>>, text: string): Evidence;

  /** Stream → parts. */
  createStreamDecoder(): StreamDecoder;
  /** Whole answer → parts. */
  decodeAnswer(body: JsonObject): Part[];
  /** Parts → stream. */
  createStreamEncoder(options: EncodeOptions): StreamEncoder;
  /** Follows a stream as its caller receives it, so that parts of another answer can go on in it. `asked`: as for a reader. */
  createStreamFollower(asked?: () => string): StreamFollower;
  /** Parts → whole answer. */
  encodeAnswer(parts: readonly Part[], options: EncodeOptions): JsonObject;
  /** Stream events → the whole answer they tell, for a caller that asked for no stream. */
  foldStream(events: readonly SseEvent[]): JsonObject;

  /** An error in the shape this protocol's clients understand: an answer's body, and an event inside a stream. */
  encodeError(error: ProtocolError): { body: JsonObject; event: string };
}

/**
 * What an event means for the turn:
 * `preamble`: nothing for the caller yet (created, in progress, pings, reasoning). `content`: something for the caller: the
 * commit point. `end`: the terminal event, complete. `failure`: refused or failed, whatever came before.
 * `malformed`: its data is no JSON object. No client can read it either, and the official SDKs throw on it, so it is left out.
 */
export type StreamVerdict =
  | { readonly kind: "preamble"; readonly malformed?: true }
  | { readonly kind: "content" }
  | { readonly kind: "end" }
  | { readonly kind: "failure"; readonly evidence: Evidence };

export interface StreamReader {
  /** Never throws. An event that can't be parsed is `preamble` before content and ignored after it. */
  read(event: SseEvent): StreamVerdict;
  /**
   * After content: what events look like that are one more piece as this one is, and change nothing. They are neither parsed nor read. `text` is
   * the event that was read last, as it was sent, with its blank line. Null for any other event, and when in doubt.
   */
  shapeOfMore?(text: string): EventShape | null;
  /** After the last byte: null if the terminal event was seen, else what is missing. */
  end(): Evidence | null;
  /** Known after the terminal event. */
  readonly usage: Usage | null;
  /** After the last byte of a complete answer: what clients of this protocol wait for at the end, if it has not come. Missing: nothing. */
  readonly missingEnd?: string;
}

export type AnswerVerdict =
  | { readonly kind: "answer"; readonly usage: Usage | null }
  | { readonly kind: "failure"; readonly evidence: Evidence };

/** What an encoded answer says about itself. */
export interface EncodeOptions {
  /** The model's name as the caller is to see it. */
  readonly model: string;
  readonly id: string;
  /** Unix ms; 0 if absent. */
  readonly createdAt?: number;
  /** The tools of the caller's request: a call is written the way its tool was declared (`Tool.opaque`). */
  readonly tools?: readonly Tool[];
}

export interface StreamDecoder {
  decode(event: SseEvent): Part[];
  /**
   * Parts held back for an event that never came; call it once after the last byte. Chat Completions waits with `finish`
   * for the usage, which some servers don't send. A cut answer still gets no `finish`. Missing: nothing is ever held back.
   */
  end?(): Part[];
}

export interface StreamEncoder {
  /** SSE text, ready to be written; may be empty. */
  encode(part: Part): string;
}

export interface StreamFollower {
  /** An event that the caller has received. */
  see(event: SseEvent): void;
  /**
   * An encoder that goes on where the stream stands: no second beginning, and text with the id `openText` grows the block that is open.
   * Null when something is open that only its author can end, or when the model had said that it is done.
   */
  resume(openText: string | null, options: EncodeOptions): StreamEncoder | null;
}

/** What a client is told when a turn could not be answered. */
export interface ProtocolError {
  readonly status: number;
  /** Machine-readable, in the protocol's own vocabulary. */
  readonly type: string;
  readonly code: string | null;
  readonly message: string;
  /** Unix ms; becomes `resets_at` in seconds where the dialect has it. */
  readonly resetsAt?: number;
  /** True when a client that asks again in a moment may well be answered. Default false: it is to stop. */
  readonly again?: boolean;
}

/**
 * What a provider insists on in a history that others wrote, too: no reasoning in it, reasoning of its own beside every answer, or a signature
 * of its own on every call.
 */
export type HistoryHabit = "no-reasoning" | "needs-reasoning" | "needs-signatures";
