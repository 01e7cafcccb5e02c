import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { isLoopback } from "./options.ts";
import type { Refusal } from "./refusal.ts";

/**
 * Who may speak to the gateway from a browser: nobody but its own pages.
 *
 * - `Host` must be a loopback name, a plain address, or a name from `allowedHosts`. A page that has its own name point at
 *   127.0.0.1 (DNS rebinding) still says its own name here.
 * - `Origin`, which browsers send and command lines don't, must be the gateway's own.
 */
export function checkHost(request: IncomingMessage, allowedHosts: ReadonlySet<string>): Refusal | null {
  const { host = "", origin } = request.headers;
  if (!isOwnHost(host, allowedHosts)) {
    return {
      status: 403,
      code: "host_refused",
      message: "this Host is not the gateway's: use 127.0.0.1 or localhost, or start it with --allow-host NAME",
      close: true,
    };
  }
  if (origin !== undefined && origin !== `http://${host}`) {
    return { status: 403, code: "origin_refused", message: "web pages may not use the gateway", close: true };
  }
  return null;
}

/** Hosts that were found to be the gateway's own, by the names that it goes by. Clients say the same one again and again. */
const known = new WeakMap<ReadonlySet<string>, Set<string>>();
const knownLimit = 100;

function isOwnHost(host: string, allowedHosts: ReadonlySet<string>): boolean {
  let hosts = known.get(allowedHosts);
  if (hosts === undefined) known.set(allowedHosts, (hosts = new Set()));
  if (hosts.has(host)) return true;
  const name = hostName(host);
  if (name === null || !(isLoopback(name) || isIP(unbracketed(name)) !== 0 || allowedHosts.has(name))) return false;
  if (hosts.size < knownLimit) hosts.add(host);
  return true;
}

/** Query parameters under which people put keys. Addresses end up in histories and logs. */
const keyParameters = new Set([
  "key",
  "api_key",
  "apikey",
  "api-key",
  "x-api-key",
  "access_token",
  "token",
  "auth",
  "authorization",
]);

export function checkQuery(query: string): Refusal | null {
  if (query === "") return null;
  for (const name of new URLSearchParams(query).keys()) {
    if (keyParameters.has(name.toLowerCase())) {
      return {
        status: 400,
        code: "key_in_query",
        message: `a key does not belong into an address (${name.toLowerCase()}): send it as a header`,
        close: true,
      };
    }
  }
  return null;
}

/** Lower-case, without the port; null when it is no host at all. */
function hostName(host: string): string | null {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i.exec(host);
  return match?.[1]?.toLowerCase().replace(/\.$/, "") ?? null;
}

function unbracketed(name: string): string {
  return name.startsWith("[") ? name.slice(1, -1) : name;
}
