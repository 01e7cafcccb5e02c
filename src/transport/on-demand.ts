import type { Transport } from "../core/transport.ts";

/** The transport, whose many modules are loaded with the first request: most commands never send one. */
export function createTransport(): Transport {
  let loading: Promise<Transport> | null = null;
  const load = async (): Promise<Transport> => (await import("./transport.ts")).createNetworkTransport();
  return {
    send: async (request) => (await (loading ??= load())).send(request),
    close: async () => (await loading)?.close(),
  };
}
