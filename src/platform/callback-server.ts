import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { findPortHolder } from "./port-holder.ts";

/** What the person's browser is shown. */
export interface CallbackPage {
  /** HTTP status. */
  readonly status: number;
  readonly title: string;
  /** One sentence. Escaped here. */
  readonly text: string;
}

export interface CallbackServerOptions {
  /** Tried in this order; 0 takes a free one. */
  readonly ports: readonly number[];
  /** The path of the callback, for example `/auth/callback`. */
  readonly path: string;
  /** Answers one callback. The browser waits for it, so what it shows is how the sign-in ended. Must not reject. */
  readonly onCallback: (params: URLSearchParams) => Promise<CallbackPage>;
}

/** A server on this machine that waits for a browser to come back from a sign-in. */
export interface CallbackServer {
  readonly port: number;
  /** Lets answers under way arrive, then ends all connections and frees the port. Idempotent. */
  close(): Promise<void>;
}

/** How long an answer may take to reach the browser when the server closes, in ms. */
const lastAnswerMs = 1_000;

/**
 * Listens on the first free port of `ports`, on 127.0.0.1 only. Takes GET for its own path and a Host that names this machine,
 * so that no page of the web can reach it by a name of its own; everything else is 404 or 400. Never logs an address:
 * it holds the code.
 *
 * When every port is taken there is no server, and a sentence that says by whom, as far as that can be known.
 */
export async function openCallbackServer(
  options: CallbackServerOptions,
): Promise<{ readonly ok: true; readonly server: CallbackServer } | { readonly ok: false; readonly message: string }> {
  const server = createServer({ maxHeaderSize: 32 * 1024 }, (request, response) => {
    void answer(request, response, options);
  });
  server.requestTimeout = 10_000;
  for (const port of options.ports) {
    const bound = await listen(server, port);
    if (bound !== null) return { ok: true, server: { port: bound, close: () => close(server) } };
  }
  const holders = options.ports.map(describeBusyPort).join(", and ");
  return { ok: false, message: `the browser can't come back to this machine: ${holders}` };
}

/** The port, or null when somebody else has it. */
function listen(server: Server, port: number): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      server.removeListener("listening", onListening);
      // EACCES: reserved by the system, as Windows does with whole ranges.
      if (error.code === "EADDRINUSE" || error.code === "EACCES") resolve(null);
      else reject(error);
    };
    const onListening = (): void => {
      server.removeListener("error", onError);
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    };
    server.once("error", onError).once("listening", onListening).listen(port, "127.0.0.1");
  });
}

/** `port 1455 is held by codex (pid 4711)`. */
function describeBusyPort(port: number): string {
  const holder = findPortHolder(port);
  return `port ${port} is held by ${holder === null ? "another program" : `${holder.name} (pid ${holder.pid})`}`;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { path, onCallback }: CallbackServerOptions,
): Promise<void> {
  const url = URL.parse(request.url ?? "", "http://127.0.0.1");
  if (!isThisMachine(request.headers.host)) return show(response, notHere(400));
  if (url === null || url.pathname !== path) return show(response, notHere(404));
  if (request.method !== "GET") return show(response, notHere(405));
  show(response, await onCallback(url.searchParams));
}

function isThisMachine(host: string | undefined): boolean {
  return /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host ?? "");
}

function notHere(status: number): CallbackPage {
  return { status, title: "Nothing is here", text: "This address only waits for a sign-in to come back." };
}

function show(response: ServerResponse, page: CallbackPage): void {
  response.writeHead(page.status, {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    // The address of this page holds the code: no other page may learn it.
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    connection: "close",
  });
  response.end(renderPage(page));
}

function renderPage({ title, text }: CallbackPage): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)} · Understudy</title>
<style>:root{color-scheme:light dark}body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto;padding:0 1.5rem}</style>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(text)}</p>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.codePointAt(0) ?? 0};`);
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), lastAnswerMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
