import type { ProtocolName } from "../core/target.ts";
import type { CanonicalRequest } from "../protocols/canonical.ts";
import type { JsonBytes } from "../protocols/json-bytes.ts";

/**
 * What a turn is asked. Either the body of one wire protocol, which goes through untouched to a target of the same protocol and is
 * translated for any other; or the canonical form, which is translated for every target.
 */
export type TurnRequest =
  | { readonly dialect: "canonical"; readonly request: CanonicalRequest }
  | {
      readonly dialect: ProtocolName;
      /** JSON text, or its bytes as they came. */
      readonly body: string | JsonBytes;
      /** What the caller wants to receive. */
      readonly stream: boolean;
      /** Headers of the caller that go on to a target of the same protocol. Lower-case names; no credentials. */
      readonly headers?: Readonly<Record<string, string>>;
    };

/** True when the caller wants the answer as a stream. */
export function wantsStream(request: TurnRequest): boolean {
  return request.dialect === "canonical" ? request.request.stream : request.stream;
}

/** The body as text. */
export function textOf(body: string | JsonBytes): string {
  return typeof body === "string" ? body : body.text();
}
