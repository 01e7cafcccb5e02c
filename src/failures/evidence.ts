import type { ProtocolName } from "../core/target.ts";

/**
 * Where on the way an attempt was when it failed.
 *
 * `connect`: nothing was sent. `sent`: sent, no answer. `headers`: an answer with an error status. `head`: a good status, but
 * the failure came before any content. `stream`: after content. `end`: the answer ended without saying that it is complete.
 */
export const phases = ["connect", "sent", "headers", "head", "stream", "end"] as const;
export type Phase = (typeof phases)[number];

/**
 * What is known of a bad outcome, in one shape for all protocols: an HTTP error, an error event in a stream, a terminal
 * status, a finish reason, a broken connection. The protocols fill it in, the table in `rows/` reads it.
 */
export interface Evidence {
  readonly phase: Phase;
  readonly protocol?: ProtocolName;
  readonly provider?: string;
  readonly status?: number;
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The provider's machine-readable code, wherever its dialect puts it. */
  readonly code?: string;
  /** The provider's error type. */
  readonly type?: string;
  /** The request parameter that the provider names as the culprit. */
  readonly param?: string;
  /** The provider's words. */
  readonly message?: string;
  /** Name of the stream event that carried it. */
  readonly event?: string;
  readonly finishReason?: string;
  /** Code of a network fault: `ECONNREFUSED`, `CERT_HAS_EXPIRED`, … */
  readonly networkCode?: string;
  /** The parsed body or event, for reset times. */
  readonly body?: unknown;
  /** The beginning of a body that is not JSON, at most 64 KiB. */
  readonly text?: string;
  /** True when an aggregator passes on the error of a provider behind it. */
  readonly upstream?: boolean;
}
