import { UnderstudyError } from "../core/error.ts";
import type { ProtocolName, Target } from "../core/target.ts";
import type { TransportRequest } from "../core/transport.ts";
import type { CanonicalRequest, JsonObject } from "../protocols/canonical.ts";
import { editTopLevel } from "../protocols/edit-json.ts";
import { protocols } from "../protocols/index.ts";
import { editBytes, type JsonBytes } from "../protocols/json-bytes.ts";
import { plainSchemas } from "../protocols/plain-schemas.ts";
import type { Credential } from "../credentials/credential.ts";
import type { BodyRules, Provider } from "../providers/provider.ts";
import { cacheKeyOf } from "./cache-key.ts";
import type { Habit } from "./habits.ts";
import type { Repaired } from "./repairs.ts";
import { textOf, type TurnRequest, wantsStream } from "./request.ts";
import { sealNames, sealsIn } from "./seals.ts";
import { headersForCredential } from "./turn-state.ts";

/** The request for one attempt, and what follows from it. */
export interface UpstreamRequest {
  readonly request: Required<Pick<TransportRequest, "method" | "url" | "headers" | "body">>;
  readonly protocol: ProtocolName;
  /** True when the provider answers with a stream, whatever the caller wants. */
  readonly streams: boolean;
  /** In words, what of the caller's request this protocol can't carry. */
  readonly dropped: readonly string[];
  /** True when it holds the beginning of the answer that it asks for. */
  readonly prefilled: boolean;
}

/** Where and as whom an attempt calls. */
export interface UpstreamAddress {
  readonly provider: Provider;
  readonly target: Target;
  readonly protocol: ProtocolName;
  readonly baseUrl: string;
  readonly credential: Credential;
  /** The key or access token, revealed for this one request. Empty for a server that asks for none. */
  readonly secret: string;
  /** True for sealed reasoning that this credential and model did not make. Null: nothing is known of any. */
  readonly isForeign: ((seal: string) => boolean) | null;
}

/**
 * Writes the upstream request. A body of the same protocol keeps every byte but the model's name and what the provider
 * insists on; any other is translated through the canonical form.
 */
export function writeUpstreamRequest(
  request: TurnRequest,
  to: UpstreamAddress,
  repaired: Repaired,
  goOn: { readonly said: string; readonly mayPrefill: boolean } | null = null,
): UpstreamRequest {
  const protocol = protocols[to.protocol];
  const streams = wantsStream(request) || to.provider.bodyRules?.alwaysStream === true;
  const { body, dropped } =
    request.dialect === to.protocol
      ? { body: sameDialect(request.body, to, repaired, streams), dropped: [] }
      : translated(request, to, repaired, streams);
  const asked =
    goOn === null ? null : protocol.askToGoOn(JSON.parse(bodyText(body)) as JsonObject, goOn.said, goOn.mayPrefill);
  return {
    request: {
      method: "POST",
      url: protocol.endpoint(to.baseUrl),
      headers: {
        ...(request.dialect === to.protocol ? headersForCredential(request.headers ?? {}, to.credential.id) : {}),
        accept: streams ? "text/event-stream" : "application/json",
        ...secretHeaders(protocol.headers(to.secret), to.secret),
        ...to.provider.headers?.(to.credential.kind === "oauth" ? to.credential : null),
      },
      body: asked === null ? body : JSON.stringify(asked.body),
    },
    protocol: to.protocol,
    streams,
    dropped,
    prefilled: asked?.prefilled === true,
  };
}

/** The body of an upstream request as text. */
export function bodyText(body: TransportRequest["body"]): string {
  if (body === undefined || typeof body === "string") return body ?? "";
  const decoder = new TextDecoder();
  const pieces = body instanceof Uint8Array ? [body] : body;
  return pieces.map((piece) => decoder.decode(piece, { stream: true })).join("") + decoder.decode();
}

/** A server that asks for no key gets none, not an empty one. */
function secretHeaders(headers: Record<string, string>, secret: string): Record<string, string> {
  if (secret !== "") return headers;
  const { authorization: _, "x-api-key": __, ...rest } = headers;
  return rest;
}

function sameDialect(
  body: string | JsonBytes,
  to: UpstreamAddress,
  repaired: Repaired,
  streams: boolean,
): string | Uint8Array[] {
  const rules = to.provider.bodyRules;
  const edits = {
    set: { model: to.target.model, ...rules?.set, ...(rules?.alwaysStream === true ? { stream: streams } : {}) },
    remove: rules?.remove ?? [],
  };
  const pieces = typeof body === "string" || mayNeedText(body, to, repaired) ? null : editBytes(body, edits);
  if (pieces !== null) return pieces;
  const text = textOf(body);
  const edited = editTopLevel(protocols[to.protocol].cleanRequest?.(text, rules?.set) ?? text, edits);
  return fitted(edited, to, repaired);
}

/** False when nothing but top-level members of this body has to be changed for this candidate. */
function mayNeedText(body: JsonBytes, to: UpstreamAddress, { withoutSeals, habits }: Repaired): boolean {
  if (withoutSeals || habits.length > 0) return true;
  const { cleanRequest, mayNeedCleaning } = protocols[to.protocol];
  if (cleanRequest !== undefined && mayNeedCleaning?.(body) !== false) return true;
  return to.isForeign !== null && sealNames.some((name) => body.find(name, 0) >= 0);
}

function fitted(text: string, to: UpstreamAddress, repaired: Repaired): string {
  return withHabits(withoutForeignSeals(text, to, repaired.withoutSeals), to, repaired.habits);
}

/** With its history and its tools written as this target insists on. */
function withHabits(text: string, { protocol }: UpstreamAddress, habits: readonly Habit[]): string {
  if (habits.length === 0) return text;
  const body = JSON.parse(text) as JsonObject;
  const written = habits.reduce(
    (kept, habit) =>
      (habit === "plain-schemas" ? plainSchemas(kept) : protocols[protocol].fitHistory?.(kept, habit)) ?? kept,
    body,
  );
  return written === body ? text : JSON.stringify(written);
}

/** Without all sealed reasoning when the request is repaired; else without what somebody else is known to have made. */
function withoutForeignSeals(text: string, { protocol, isForeign }: UpstreamAddress, repaired: boolean): string {
  const hasForeign = !repaired && isForeign !== null && sealsIn(text).some(isForeign);
  if (!repaired && !hasForeign) return text;
  const body = JSON.parse(text) as JsonObject;
  const fixed = protocols[protocol].repairRequest(body, repaired || isForeign === null ? undefined : isForeign);
  return fixed === null ? text : JSON.stringify(fixed);
}

function translated(
  request: TurnRequest,
  to: UpstreamAddress,
  repaired: Repaired,
  streams: boolean,
): { body: string; dropped: readonly string[] } {
  const read = toCanonical(request);
  const protocol = protocols[to.protocol];
  const written = protocol.encodeRequest({ ...read.request, stream: streams }, to.target.model);
  const isCached = to.provider.cachesByKey === true && to.protocol === "responses";
  const named = isCached ? { ...written.body, prompt_cache_key: cacheKeyOf(read.request) } : written.body;
  const body = JSON.stringify(applyRules(named, to.provider.bodyRules));
  return { body: fitted(body, to, repaired), dropped: [...read.dropped, ...written.dropped] };
}

/** The canonical form of a caller's request. Throws `request_refused` when its body can't be read. */
export function toCanonical(request: TurnRequest): { request: CanonicalRequest; dropped: string[] } {
  if (request.dialect === "canonical") return { request: request.request, dropped: [] };
  return protocols[request.dialect].decodeRequest(parseBody(textOf(request.body)));
}

function parseBody(text: string): JsonObject {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw new UnderstudyError("request_refused", "the request's body is not JSON", {}, { cause: error });
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new UnderstudyError("request_refused", "the request's body is not a JSON object");
  }
  return body as JsonObject;
}

function applyRules(body: JsonObject, rules: BodyRules | undefined): JsonObject {
  const written: JsonObject = { ...body, ...rules?.set };
  for (const key of rules?.remove ?? []) delete written[key];
  return written;
}
