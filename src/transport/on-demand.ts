import type { Transport } from "../core/transport.ts";

/** A program that still runs by then is one that may send, in ms. */
const soonMs = 1_000;

/**
 * The transport, whose many modules are loaded with the first request: most commands never send one. A program that stays
 * loads them soon in any case, since an update may take its files away while it runs.
 */
export function createTransport(): Transport {
  let loading: Promise<Transport> | null = null;
  let loaded: Transport | null = null;
  const load = (): Promise<Transport> => {
    clearTimeout(timer);
    loading ??= import("./transport.ts").then(({ createNetworkTransport }) => (loaded = createNetworkTransport()));
    return loading;
  };
  const timer = setTimeout(() => void load().catch(() => {}), soonMs).unref();
  return {
    // At once where that can be: what the caller does next comes after it.
    send: (request) => loaded?.send(request) ?? load().then((transport) => transport.send(request)),
    async close() {
      clearTimeout(timer);
      await (await loading)?.close();
    },
  };
}
