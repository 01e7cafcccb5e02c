import type { Transport, TransportRequest, TransportResponse } from "../../src/core/transport.ts";
import { createUndiciTransport } from "../../src/transport/undici.ts";
import { turnOfEventLoop, type VirtualClock } from "../virtual-clock.ts";

/** The real transport, which also knows whether anything is on its way. */
export class CountingTransport implements Transport {
  inFlight = 0;
  /** Pieces of bodies that have come. */
  chunks = 0;
  readonly #transport = createUndiciTransport();

  async send(request: TransportRequest): Promise<TransportResponse> {
    this.inFlight += 1;
    try {
      const response = await this.#transport.send(request);
      return { ...response, body: this.#count(response.body) };
    } catch (error) {
      this.inFlight -= 1;
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  async *#count(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of body) {
        this.chunks += 1;
        yield chunk;
      }
    } finally {
      this.inFlight -= 1;
    }
  }
}

/**
 * Carries `promise` to its end: whenever no request is on its way and somebody sleeps, the clock moves to the next waking. So
 * waits between requests pass at once, and the time limits of the requests never strike.
 */
export async function carry<T>(promise: Promise<T>, clock: VirtualClock, transport: CountingTransport): Promise<T> {
  const state = { settled: false };
  const settle = (): void => {
    state.settled = true;
  };
  promise.then(settle, settle);
  while (!state.settled) {
    await turnOfEventLoop();
    await turnOfEventLoop();
    const waitMs = clock.nextWakeMs;
    if (!state.settled && transport.inFlight === 0 && waitMs !== null) await clock.advance(waitMs);
  }
  return promise;
}

/** Lets real input and output run until `condition` holds. The test's own time limit ends it otherwise. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turnOfEventLoop();
}

/** An unsigned JWT with these claims. */
export function jwt(claims: Readonly<Record<string, unknown>>): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "RS256" })}.${part(claims)}.c2lnbmF0dXJl`;
}
