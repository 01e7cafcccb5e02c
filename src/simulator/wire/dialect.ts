import type { Answer, ModelRequest } from "../answer.ts";
import type { After, ResolvedBehaviour } from "../behaviour.ts";
import type { InStreamName, RefusedName } from "../faults.ts";
import type { Reply } from "../reply.ts";

/** What a stream event belongs to. */
export type WirePart = "start" | "reasoning" | "text" | "tool-call" | "end";

/** One event of a stream, ready to be sent. */
export interface WireEvent {
  readonly part: WirePart;
  /** True when it carries a piece of the part's content, and not only its frame. */
  readonly delta: boolean;
  readonly text: string;
}

/** What writing one answer or error may draw on. */
export interface WireContext {
  readonly request: ModelRequest;
  readonly behaviour: ResolvedBehaviour;
  /** Unix ms. */
  readonly now: number;
  /** A new id with this prefix. */
  readonly nextId: (prefix: string) => string;
  /** Name of the credential that asked. */
  readonly credential: string;
  /** The plan of the account that asked, where there is one. */
  readonly plan: string;
  /** The secret that was presented; only the echoing fault uses it. */
  readonly presented: string;
  /** An origin that no credential belongs to. */
  readonly elsewhere: string;
}

/** Why a request is refused by the backend's own rules. */
export interface Objection {
  readonly status: number;
  readonly message: string;
  /** The parameter at fault. */
  readonly param?: string;
  readonly code?: string;
  /** Codex: the message goes out as `{"detail": …}`. */
  readonly asDetail?: boolean;
}

/** Writes one answer. Ids and times are fixed when it is made, so that its events and its failure belong together. */
export interface AnswerWriter {
  /** The whole stream. */
  events(): WireEvent[];
  /** The whole answer as JSON. */
  body(): Record<string, unknown>;
  /** What follows the `sent` first events when the answer fails there. */
  failureEvents(name: InStreamName, sent: number, after: After): string[];
  /** The same for a request that is no stream; null when this wire has no such form. */
  failureBody(name: InStreamName, after: After): Record<string, unknown> | null;
}

/** One wire format of model calls, written without any code of the gateway: a witness, not a mirror. */
export interface Dialect {
  /** Checks a request as the real backend does and reads what an answer needs. */
  read(body: Readonly<Record<string, unknown>>, credential: string): ModelRequest | Objection;
  writer(answer: Answer, context: WireContext): AnswerWriter;
  /** The HTTP errors; null where the real backend has no such thing. */
  readonly refusals: Readonly<Record<RefusedName, ((context: WireContext) => Reply) | null>>;
  /** The failures it can put inside a 200. */
  readonly inStream: readonly InStreamName[];
  /** An objection in this wire's error shape. */
  object(objection: Objection, context: { nextId: (prefix: string) => string }): Reply;
  /** True when streams end with `data: [DONE]`. */
  readonly endsWithDone: boolean;
  /** Prefix of tool call ids. */
  readonly callIdPrefix: string;
  /** A whole event whose data is no JSON, one of a type that nobody knows, and one of about `size` characters. */
  readonly odd: {
    readonly malformed: string;
    readonly unknown: string;
    readonly huge: (size: number) => string;
    readonly keepAlive: string;
  };
}

export function isObjection(value: ModelRequest | Objection): value is Objection {
  return "status" in value;
}

/** Events under construction. */
export class EventList {
  readonly events: WireEvent[] = [];

  frame(part: WirePart, text: string): void {
    this.events.push({ part, delta: false, text });
  }

  delta(part: WirePart, text: string): void {
    this.events.push({ part, delta: true, text });
  }
}

/**
 * How many events come before a fault that happens `after` something: for a part, through the middle one of its pieces; for the
 * end, all but the ending.
 */
export function countUntil(events: readonly WireEvent[], after: After): number {
  if (after === "at-once") return events.findIndex((event) => event.part !== "start");
  if (after === "end") return events.findIndex((event) => event.part === "end");
  const pieces = events.flatMap((event, index) => (event.part === after && event.delta ? [index] : []));
  const middle = pieces[Math.max(0, Math.ceil(pieces.length / 2) - 1)];
  if (middle === undefined) throw new Error(`the answer has no ${after}`);
  return middle + 1;
}
