import type { Transport } from "../core/transport.ts";
import { createHttp1Client, type Http1Client } from "./http1.ts";

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
 * servers that our client could not read once; it is the one with years of odd servers behind it. It is loaded with the first of them, since
 * it holds 12 MB. Where an update has taken its files away meanwhile, a client of ours with no connection yet does these too.
 */
export function createNetworkTransport(options: TransportOptions = {}): Transport {
  const { connectTimeoutMs = 10_000, connectionsPerOrigin = 2_048 } = options;
  const odd = new Set<string>();
  const createOwn = (): Http1Client =>
    createHttp1Client({ connectTimeoutMs, connectionsPerOrigin, onFault: (origin) => odd.add(origin) });
  const own = createOwn();
  let loading: Promise<Transport | null> | null = null;
  const load = (): Promise<Transport | null> => {
    loading ??= import("./undici.ts").then(
      ({ createUndiciTransport }) => createUndiciTransport({ connectTimeoutMs, connectionsPerOrigin }),
      () => null,
    );
    return loading;
  };

  return {
    send(request) {
      const isOwn = request.method === "POST" && request.fresh !== true && !(odd.size > 0 && isOdd(request.url));
      return isOwn ? own.send(request) : load().then((undici) => (undici ?? createOwn()).send(request));
    },
    async close() {
      own.close();
      await (await loading)?.close();
    },
  };

  function isOdd(url: string): boolean {
    return odd.has(new URL(url).origin);
  }
}
