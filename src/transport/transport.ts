import type { Transport } from "../core/transport.ts";
import { createHttp1Client } from "./http1.ts";
import { createUndiciTransport } from "./undici.ts";

/** Options of the transport. Times in ms. */
export interface TransportOptions {
  /** Limit for DNS, TCP and TLS together. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** Connections to one origin. Default 2,048: as many as the gateway takes. */
  readonly connectionsPerOrigin?: number;
}

/**
 * The transport of a process. Model calls, which are POSTs, go over a small client of our own (`http1.ts`), which costs a fraction of
 * what undici does per request (bench/README.md). undici keeps everything else: requests that need a new connection, as refreshes do, and
 * servers that our client could not read once; it is the one with years of odd servers behind it.
 */
export function createNetworkTransport(options: TransportOptions = {}): Transport {
  const { connectTimeoutMs = 10_000, connectionsPerOrigin = 2_048 } = options;
  const odd = new Set<string>();
  const own = createHttp1Client({ connectTimeoutMs, connectionsPerOrigin, onFault: (origin) => odd.add(origin) });
  const undici = createUndiciTransport({ connectTimeoutMs, connectionsPerOrigin });

  return {
    send(request) {
      const isOwn = request.method === "POST" && request.fresh !== true && !(odd.size > 0 && isOdd(request.url));
      return isOwn ? own.send(request) : undici.send(request);
    },
    async close() {
      own.close();
      await undici.close();
    },
  };

  function isOdd(url: string): boolean {
    return odd.has(new URL(url).origin);
  }
}
