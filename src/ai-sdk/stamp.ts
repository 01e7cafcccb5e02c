import type { SharedV4ProviderMetadata, SharedV4ProviderOptions } from "@ai-sdk/provider";
import type { Candidate } from "../core/events.ts";
import type { JsonObject, Opaque } from "../protocols/canonical.ts";
import { compact, isObject, objectAt, stringAt } from "../protocols/read-json.ts";

/** The key of this package in `providerMetadata` and `providerOptions`. */
export const metadataKey = "understudy";

/** Who issued a piece of an answer. */
export interface Issuer {
  readonly provider: string;
  readonly model: string;
  /** Id of the credential. */
  readonly credential: string;
}

/**
 * What goes out with each piece of an answer as provider metadata, and comes back with it as provider options when the AI SDK
 * sends the conversation again. So nothing has to be remembered between the steps of a loop, nor over a restart.
 */
export interface Stamp {
  readonly issuer: Issuer;
  /** Reasoning that only the issuer can read. */
  readonly opaque?: Opaque;
}

export function writeStamp({ provider, model, credential }: Candidate, opaque?: Opaque): SharedV4ProviderMetadata {
  const issuer: JsonObject = { provider, model, credential: credential.id };
  const sealed: JsonObject | undefined = opaque && { protocol: opaque.protocol, data: opaque.data };
  return { [metadataKey]: compact({ issuer, opaque: sealed }) };
}

/** Null for a piece that somebody else has made. Conversations pass through browsers: nothing in one is taken on trust. */
export function readStamp(options: SharedV4ProviderOptions | undefined): Stamp | null {
  const found: unknown = options?.[metadataKey];
  if (!isObject(found)) return null;
  const issuer = objectAt(found, "issuer");
  const provider = stringAt(issuer, "provider");
  const model = stringAt(issuer, "model");
  const credential = stringAt(issuer, "credential");
  if (provider === undefined || model === undefined || credential === undefined) return null;
  const opaque = readOpaque(objectAt(found, "opaque"));
  return { issuer: { provider, model, credential }, ...(opaque === null ? {} : { opaque }) };
}

/** Sealed blocks go into the history as they are: only those that are reasoning, or else a stamp could bring in anything. */
const reasoningBlocks: Readonly<Record<string, readonly string[]>> = {
  responses: ["reasoning"],
  messages: ["thinking", "redacted_thinking"],
};

function readOpaque(opaque: JsonObject | undefined): Opaque | null {
  const protocol = stringAt(opaque, "protocol");
  const data = objectAt(opaque, "data");
  if ((protocol !== "responses" && protocol !== "messages") || data === undefined) return null;
  return reasoningBlocks[protocol]?.includes(stringAt(data, "type") ?? "") === true ? { protocol, data } : null;
}
