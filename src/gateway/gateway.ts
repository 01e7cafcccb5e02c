import { createServer, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, Server as NetServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { UnderstudyError } from "../core/error.ts";
import { readPackageVersion } from "../platform/package-version.ts";
import { loadTurnTracing } from "../telemetry/load-tracing.ts";
import type { MetricFamily } from "../telemetry/prometheus.ts";
import { createAffinity } from "./affinity.ts";
import { createKeyCheck } from "./client-key.ts";
import type { GatewayContext } from "./context.ts";
import { createMetrics } from "./metrics.ts";
import { OpenTurns } from "./open-turns.ts";
import {
  checkOptions,
  defaultGatewayLimits,
  defaultHost,
  defaultPort,
  type GatewayLimits,
  type GatewayOptions,
} from "./options.ts";
import { createStatusPage } from "./page/status-page.ts";
import { handle } from "./routes.ts";
import { reloadConfig, watchConfig } from "./watch-config.ts";

/** A gateway that listens. */
export interface Gateway {
  /** `http://127.0.0.1:4141`. OpenAI's clients want `/v1` behind it, Anthropic's don't. */
  readonly url: string;
  readonly port: number;
  /** Requests being answered now. */
  readonly openTurns: number;
  /** Reads the configuration again; false when it can't be used and the one before stays in force. */
  reload(): Promise<boolean>;
  /** What this gateway counts, without what others do. */
  metrics(): Promise<readonly MetricFamily[]>;
  /**
   * Takes no new turns (`/ready` says 503), waits for those under way, gives them up after the drain limit, and closes every
   * connection. The workspace stays open: it is the caller's.
   */
  close(): Promise<void>;
}

/**
 * Opens the gateway. Rejects with an `UnderstudyError` `usage` for options that can't be meant, and for a port that is taken or
 * may not be used.
 */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  checkOptions(options);
  const { workspace, host = defaultHost, port = defaultPort, onNotice = () => {} } = options;
  const limits: GatewayLimits = { ...defaultGatewayLimits, ...options.limits };
  const turns = new OpenTurns();
  const metrics = createMetrics(workspace, () => turns.size);
  const tracing = options.spans === false ? null : await loadTurnTracing(readPackageVersion());
  const unwatch = [workspace.onTurn(metrics.observeTurn), workspace.onRefresh(metrics.onRefresh)];
  if (tracing !== null) unwatch.push(workspace.onTurn(tracing.observeTurn));
  const { adminKey } = options;
  const page = adminKey === undefined ? null : createStatusPage({ workspace, adminKey, onNotice });
  const context: GatewayContext = {
    workspace,
    limits,
    metrics,
    turns,
    page,
    affinity: createAffinity({ now: () => workspace.clock.now() }),
    hasKey: createKeyCheck(options.clientKey),
    allowedHosts: new Set(options.allowedHosts?.map((name) => name.toLowerCase())),
    tracing,
    metricsOfOthers: options.metricsOfOthers ?? (() => Promise.resolve([])),
    onEvent: options.onEvent ?? (() => {}),
    onNotice,
  };
  let leaving = false;
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.idleMs,
      connectionsCheckingInterval: Math.min(1_000, limits.headersMs),
      noDelay: true,
    },
    (request, response) => {
      if (leaving) response.setHeader("connection", "close");
      void handle(context, request, response);
    },
  );
  server.maxConnections = limits.connections;
  server.on("upgrade", refuseUpgrade);
  server.on("clientError", refuseBroken);
  // Node takes one new connection per round of its event loop. Of a crowd that comes at once the system drops those who don't fit in here.
  await listen(server, { host, port, reusePort: options.sharePort === true, backlog: limits.connections });
  const stopWatching = options.watchConfig === true ? watchConfig(workspace, onNotice) : () => {};
  const address = server.address() as AddressInfo;

  return {
    url: `http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`,
    port: address.port,
    get openTurns() {
      return turns.size;
    },
    reload: () => reloadConfig(workspace, onNotice),
    metrics: () => metrics.families(),
    async close() {
      stopWatching();
      page?.close();
      if (options.sharePort === true) {
        // Whoever shares the port takes new connections from now on. What comes over those that are open is still answered.
        leaving = true;
        stopListening(server);
        await new Promise((resolve) => setTimeout(resolve, limits.handOverMs));
      }
      // Whoever is given up is told so. One who is still sending a request has nobody who would answer, and may take minutes.
      const overdue = setTimeout(() => server.closeAllConnections(), limits.drainMs + lastWordMs);
      await turns.drain(limits.drainMs);
      clearTimeout(overdue);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      for (const stop of unwatch) stop();
    },
  };
}

/** So long after the drain limit connections are closed, whatever still goes on over them, in ms. */
const lastWordMs = 500;

/** WebSockets are not spoken: 426 makes Codex go on over HTTP after one try, where a 404 costs it seven. */
function refuseUpgrade(_request: unknown, socket: Duplex): void {
  socket.on("error", () => {});
  socket.end("HTTP/1.1 426 Upgrade Required\r\nconnection: close\r\nupgrade: HTTP/1.1\r\ncontent-length: 0\r\n\r\n");
}

const notHttp = ["400 Bad Request", "bad_request", "the request is not HTTP/1.1 as it should be"] as const;
/** What of a connection is no request, as Node's parser says: with a status of its own where that is said, and else 400. */
const brokenRequests: Readonly<Record<string, readonly [status: string, code: string, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "request_timeout", "the request did not come in time"],
  HPE_HEADER_OVERFLOW: ["431 Request Header Fields Too Large", "headers_too_large", "the headers are too long"],
};

/**
 * Answers what is no request as Node would, but with words: by itself it says a status and nothing else. Into an answer that has begun nothing is
 * written.
 */
function refuseBroken(error: NodeJS.ErrnoException, stream: Duplex): void {
  const socket = stream as Socket & { readonly _httpMessage?: ServerResponse | null };
  // eslint-disable-next-line no-underscore-dangle -- Node's own handler asks it: which answer a connection carries is said nowhere else
  const isAnswering = socket._httpMessage?.headersSent === true;
  if (socket.writable && !isAnswering && error.code !== "ECONNRESET") {
    const [status, code, message] = brokenRequests[error.code ?? ""] ?? notHttp;
    const body = JSON.stringify({ error: { type: "invalid_request_error", code, message } });
    const head = ["connection: close", "content-type: application/json", `content-length: ${body.length}`];
    socket.write(`HTTP/1.1 ${status}\r\n${head.join("\r\n")}\r\n\r\n${body}`);
  }
  socket.destroySoon();
}

/** Takes no new connections. `server.close()` would also end those on which a client is just about to ask something. */
function stopListening(server: Server): void {
  NetServer.prototype.close.call(server);
}

interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly reusePort: boolean;
  /** Connections that wait to be taken. */
  readonly backlog: number;
}

function listen(server: Server, { host, port, reusePort, backlog }: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
    server.listen({ host, port, reusePort, backlog }, () => {
      server.removeAllListeners("error");
      resolve();
    });
  });
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): UnderstudyError {
  const what: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${port} is taken by another program: choose one with --port, or 0 for any that is free`,
    EACCES: `port ${port} may not be used by this user: choose one above 1023 with --port`,
    ENOTSUP: "this system can't share a port among processes: leave --share-port out",
    EADDRNOTAVAIL: `${host} is no address of this machine`,
    ENOTFOUND: `${host} is no address of this machine`,
  };
  const message =
    what[error.code ?? ""] ?? `the gateway can't listen on ${host}:${port} (${error.code ?? error.message})`;
  return new UnderstudyError("usage", message, {}, { cause: error });
}
