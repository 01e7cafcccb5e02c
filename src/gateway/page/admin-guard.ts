import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Refusal } from "../refusal.ts";

/** What the page's own code sends with every request. A form or a link of another page can't. */
export const pageHeader = "x-understudy-page";

/**
 * Who may use the admin API. The Host and, where there is one, the Origin are checked for every request of the gateway; here:
 *
 * - The page's own header must be there: another site's page can't send it without a preflight, which is never granted.
 * - A browser that says where the request comes from must say: the same origin.
 * - Whatever changes something must carry an Origin.
 * - The key comes in a header that no browser sends by itself (decision 013).
 */
export function checkAdmin(
  request: IncomingMessage,
  hasAdminKey: (headers: IncomingHttpHeaders) => boolean,
): Refusal | null {
  const { headers, method } = request;
  const site = headers["sec-fetch-site"];
  if (headers[pageHeader] !== "1" || (site !== undefined && site !== "same-origin")) {
    return refused("page_only", "only the gateway's own status page may ask this");
  }
  if (method !== "GET" && headers.origin === undefined) {
    return refused("origin_missing", "a change needs an Origin header");
  }
  if (!hasAdminKey(headers)) {
    return {
      status: 401,
      code: "admin_key_wrong",
      message: "the admin key is missing or wrong: understudy serve --print-admin-key shows it",
      headers: { "www-authenticate": "Bearer" },
      close: true,
    };
  }
  return null;
}

/** True for the address of a connection that comes from this machine (loopback, also as IPv4 in IPv6). */
export function isThisMachine(address: string | undefined): boolean {
  return address !== undefined && /^(::ffff:)?127\.|^::1$/.test(address);
}

function refused(code: string, message: string): Refusal {
  return { status: 403, code, message, close: true };
}
