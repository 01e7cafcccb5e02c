import type { Clock } from "../core/clock.ts";
import { type Transport, TransportError, type TransportRequest } from "../core/transport.ts";

/** What every grant needs to reach a server. */
export interface Ports {
  readonly transport: Transport;
  readonly clock: Clock;
  /** Told before each wait that nobody planned, so that a person need not wonder. Must not throw. */
  readonly onWait?: (wait: UnplannedWait) => void;
}

/** The server limits the tries, or gives no answer that can be used. */
export interface UnplannedWait {
  readonly why: "rate_limited" | "no_answer";
  /** When it is asked again, Unix ms. */
  readonly until: number;
}

/** An answer with its whole body, or with what had come of it. */
export interface HttpAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body, at most 1 MiB of it. */
  readonly text: string;
  /** Why the body is not whole, as a network code; null when it is, or when it was larger than the limit. */
  readonly cut: string | null;
}

/** How one request ended. A value, never a throw. */
export type ExchangeOutcome =
  | { readonly kind: "answered"; readonly answer: HttpAnswer }
  /** No byte reached the server. */
  | { readonly kind: "never_sent"; readonly networkCode: string }
  /** Sent, or perhaps sent, and no status came back. */
  | { readonly kind: "unanswered"; readonly networkCode: string }
  /** The caller's signal ended it. */
  | { readonly kind: "cancelled" };

/** The network code of our own time limit. */
export const timeoutCode = "TIMEOUT";

/** Bytes of an answer that are read; no token answer comes near. */
export const maxAnswerBytes: number = 1024 * 1024;

/**
 * Sends one request, on a connection of its own, and reads the answer. Never throws, never retries.
 *
 * `timeoutMs` covers everything from the first byte out to the last byte in. A body that breaks after the headers still
 * counts as an answer: what has come of it may hold a token that exists nowhere else.
 */
export async function exchange(
  ports: Ports,
  request: Omit<TransportRequest, "signal" | "fresh">,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<ExchangeOutcome> {
  if (signal?.aborted) return { kind: "cancelled" };
  const stop = new AbortController();
  const timer = new AbortController();
  const reception = new Reception();
  const whole = reception.receive(ports.transport, { ...request, fresh: true, signal: stop.signal });
  const limit = ports.clock.sleep(timeoutMs, timer.signal).then(
    () => reception.outcome(timeoutCode, false),
    () => reception.outcome(timeoutCode, false),
  );
  let onAbort = (): void => {};
  const cancelled = new Promise<ExchangeOutcome>((resolve) => {
    onAbort = () => resolve({ kind: "cancelled" });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
  const outcome = await Promise.race([whole, limit, cancelled]);
  signal?.removeEventListener("abort", onAbort);
  timer.abort();
  stop.abort();
  return outcome;
}

/** Collects what comes back, so that it can be looked at when the rest does not come. */
class Reception {
  #status: number | null = null;
  #headers: Readonly<Record<string, string>> = {};
  #size = 0;
  readonly #chunks: Uint8Array[] = [];

  async receive(transport: Transport, request: TransportRequest): Promise<ExchangeOutcome> {
    try {
      const response = await transport.send(request);
      this.#headers = response.headers;
      this.#status = response.status;
      for await (const chunk of response.body) {
        const part = chunk.subarray(0, maxAnswerBytes - this.#size);
        this.#chunks.push(part);
        this.#size += part.length;
        if (this.#size >= maxAnswerBytes) break;
      }
      return this.outcome(null, false);
    } catch (error) {
      // A fault that is not the network's is a bug below us: all that is certain is that no answer came.
      if (!(error instanceof TransportError)) return this.outcome("UNKNOWN", false);
      return this.outcome(error.networkCode, error.phase === "connect");
    }
  }

  /** What is known now. `cut`: why no more will come. */
  outcome(cut: string | null, neverSent: boolean): ExchangeOutcome {
    if (this.#status !== null) {
      const answer = { status: this.#status, headers: this.#headers, text: this.#text(), cut };
      return { kind: "answered", answer };
    }
    return { kind: neverSent ? "never_sent" : "unanswered", networkCode: cut ?? "UNKNOWN" };
  }

  #text(): string {
    const decoder = new TextDecoder();
    return this.#chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode();
  }
}

/** A POST of `fields`, as a form (RFC 6749 §3.2) or as JSON (what OpenAI's and Anthropic's own clients send). */
export function postRequest(
  url: string,
  encoding: "form" | "json",
  fields: Readonly<Record<string, string>>,
): Omit<TransportRequest, "signal" | "fresh"> {
  const isForm = encoding === "form";
  return {
    method: "POST",
    url,
    headers: {
      accept: "application/json",
      "content-type": isForm ? "application/x-www-form-urlencoded" : "application/json",
      "user-agent": userAgent,
    },
    body: isForm ? new URLSearchParams(fields).toString() : JSON.stringify(fields),
  };
}

/** Sent with every request of this folder: some firewalls refuse a request without one. */
export const userAgent = "understudy";

/** 2xx. */
export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}
