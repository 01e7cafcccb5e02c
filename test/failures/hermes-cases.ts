import type { Failure, Reason } from "../../src/core/failure.ts";
import type { Evidence } from "../../src/failures/evidence.ts";
import { readErrorBody } from "../../src/failures/read-error-body.ts";

/** The peer's 22 reasons, and which of ours says the same. */
const ourReasons = {
  auth: ["auth"],
  billing: ["billing"],
  rate_limit: ["rate_limit"],
  upstream_rate_limit: ["rate_limit"],
  overloaded: ["overloaded"],
  server_error: ["server_error"],
  timeout: ["timeout", "network"],
  context_overflow: ["context_overflow"],
  payload_too_large: ["payload_too_large"],
  image_too_large: ["payload_too_large"],
  model_not_found: ["model_not_found"],
  provider_policy_blocked: ["entitlement"],
  content_policy_blocked: ["content_policy"],
  format_error: ["invalid_request"],
  invalid_encrypted_content: ["invalid_encrypted_content"],
  thinking_signature: ["invalid_encrypted_content"],
  multimodal_tool_content_unsupported: ["invalid_request"],
  llama_cpp_grammar_pattern: ["invalid_request"],
  long_context_tier: ["entitlement"],
  oauth_long_context_beta_forbidden: ["entitlement"],
  unknown: ["unknown"],
} as const satisfies Record<string, readonly Reason[]>;
export type PeerReason = keyof typeof ourReasons;

/**
 * The peer's flags as its tests assert them: `R` retryable, `K` rotate the credential, `F` fall back to another provider;
 * with `!` the flag must not be set. Its fourth flag, compress, has no counterpart: the caller owns the conversation.
 */
export type Flag = "R" | "R!" | "K" | "K!" | "F" | "F!";

export interface Case {
  readonly id: string;
  readonly title: string;
  readonly evidence: Evidence;
  /** What the peer asserts; `not` names a reason that it must not be. */
  readonly peer: {
    readonly reason?: PeerReason;
    readonly not?: PeerReason;
    readonly flags?: readonly Flag[];
    readonly message?: string;
    readonly status?: number | null;
    readonly code?: string | null;
  };
  /** Set where this package differs on purpose: what it answers instead. The why is in docs/differences-from-hermes.md. */
  readonly better?: Partial<Failure>;
}

/** What of the peer's assertions our verdict does not keep. */
export function judge({ peer }: Case, ours: Failure): string[] {
  const misses: string[] = [];
  const is = (reason: PeerReason): boolean => (ourReasons[reason] as readonly Reason[]).includes(ours.reason);
  if (peer.reason !== undefined && !is(peer.reason))
    misses.push(`reason ${ours.reason} is not the peer's ${peer.reason}`);
  if (peer.reason === "upstream_rate_limit" && ours.scope !== "model") misses.push(`scope ${ours.scope}`);
  if (peer.not !== undefined && is(peer.not)) misses.push(`reason is the peer's ${peer.not}`);
  for (const flag of peer.flags ?? []) if (!keptBy[flag](ours)) misses.push(`${flag}: next is ${ours.next}`);
  if (peer.message !== undefined && ours.message !== peer.message) misses.push(`message ${ours.message}`);
  if (peer.status !== undefined && (ours.status ?? null) !== peer.status) misses.push(`status ${ours.status}`);
  if (peer.code !== undefined && (ours.code ?? null) !== peer.code) misses.push(`code ${ours.code}`);
  return misses;
}

/** Whatever is not `stop` goes on: in place, with another credential, or at another target. */
const keptBy: Readonly<Record<Flag, (ours: Failure) => boolean>> = {
  R: ({ next }) => next !== "stop",
  F: ({ next }) => next !== "stop",
  "R!": ({ next }) => next !== "retry",
  K: ({ next }) => next === "next_credential" || next === "refresh",
  "K!": ({ next, scope }) => next !== "next_credential" && next !== "refresh" && !scope.startsWith("credential"),
  "F!": ({ next }) => next !== "next_target" && next !== "next_credential",
};

/** An HTTP answer whose error object has this message, or this whole body. */
export function http(status: number, body: unknown, provider?: string): Evidence {
  const text = JSON.stringify(typeof body === "string" ? { error: { message: body } } : body);
  return { phase: "headers", ...(provider !== undefined && { provider }), ...readErrorBody(status, {}, text) };
}

/** A failure of which only the words are known. */
export function said(message: string, provider?: string): Evidence {
  return { phase: "head", message, ...(provider !== undefined && { provider }) };
}

/** A body inside a stream: no status. */
export function inStream(body: unknown, provider?: string): Evidence {
  const { status: _status, ...rest } = http(200, body, provider);
  return { ...rest, phase: "head" };
}

/** A fault of the network, as the transport reports it. */
export function broken(networkCode: string, message: string): Evidence {
  return { phase: "sent", networkCode, message };
}

/** Cases of the peer that have no counterpart here. */
export const notApplicable: readonly { readonly id: string; readonly why: string }[] = [
  { id: "A1", why: "its reasons are a run-time enumeration; ours are a closed union that the compiler checks" },
  { id: "A2", why: "asserts the peer's own list of 22 reasons; ours has 20 of its own" },
  {
    id: "A133",
    why: "cause chains of exceptions: evidence is flat; the transport walks its errors' causes, five deep",
  },
  {
    id: "A134",
    why: "cause chains of exceptions: evidence is flat; the transport walks its errors' causes, five deep",
  },
  { id: "F1", why: "what the pool does with a verdict; the classification behind it is A18" },
  { id: "F2", why: "what the pool does with a verdict; the classification behind it is A137" },
  {
    id: "F105",
    why: "faults of the peer's own Python code (decoding, attribute errors) taken for failures of a provider",
  },
];
