import { UnderstudyError } from "../core/error.ts";
import type { TurnEvent } from "../core/events.ts";
import { isLoopbackHost } from "../providers/base-url.ts";
import type { MetricFamily } from "../telemetry/prometheus.ts";
import type { Workspace } from "../workspace.ts";

export interface GatewayOptions {
  readonly workspace: Workspace;
  /** What every client must present, as `Authorization: Bearer` or `x-api-key`. Never empty. */
  readonly clientKey: string;
  /** What the status page asks a person for; another one than the client key. Missing: no status page. */
  readonly adminKey?: string;
  /** Where to listen. Default `127.0.0.1`. Another machine can reach any address but loopback ones. */
  readonly host?: string;
  /** Default 4141; 0 takes a free one. */
  readonly port?: number;
  /**
   * True: another gateway of this user may listen on the same port at the same time, if it says so as well. For an upgrade without
   * a pause; Linux and other systems that share a port among processes. Default false.
   */
  readonly sharePort?: boolean;
  /** Must be true to listen on an address that other machines can reach. Traffic is plain http. Default false. */
  readonly exposeToOtherMachines?: boolean;
  /** Host names that clients may use besides loopback names and plain addresses. Default none. */
  readonly allowedHosts?: readonly string[];
  readonly limits?: Partial<GatewayLimits>;
  /** True: the configuration is read again when its file changes. Default false. */
  readonly watchConfig?: boolean;
  /** False where nobody is going to register a provider of spans: nothing is loaded for them and none are made. Default true. */
  readonly spans?: boolean;
  /** What other processes behind the same port count; `/metrics` adds it up. Default: there are none. */
  readonly metricsOfOthers?: () => Promise<readonly (readonly MetricFamily[])[]>;
  /** Told what happens in every turn, as it happens. Must not throw. */
  readonly onEvent?: (event: TurnEvent) => void;
  /** Told what a person who runs the gateway should know, one line each. Must not throw. */
  readonly onNotice?: (line: string) => void;
}

export interface GatewayLimits {
  /** A request's body, as sent and after decompression. Default 32 MiB. */
  readonly bodyBytes: number;
  /** All headers of a request together. Default 32 KiB. */
  readonly headerBytes: number;
  /** From a connection's or request's beginning until its headers are there, in ms. Default 15,000. */
  readonly headersMs: number;
  /** Until a whole request is there, in ms. Default 120,000. */
  readonly requestMs: number;
  /** A kept-alive connection without a request, in ms. Default 65,000. */
  readonly idleMs: number;
  /** Open connections. Default 2,048. */
  readonly connections: number;
  /**
   * Silence towards a client that waits for a stream, before it gets a sign of life, in ms. The first one gives up the choice of
   * the HTTP status: from then on an error is told inside the stream. Default 15,000.
   */
  readonly keepAliveMs: number;
  /**
   * For so long a client that is known to pass over `102 Processing` gets that as a sign of life, in ms: the status is still free then. It is
   * not longer because some of them count the time until the head. Default 60,000.
   */
  readonly interimMs: number;
  /** A client that takes nothing of what it is sent, in ms. Default 120,000. */
  readonly stalledClientMs: number;
  /** With `sharePort`: how long open connections may still ask something after `close` was called, in ms. Default 1,000. */
  readonly handOverMs: number;
  /** How long turns under way may go on after `close` was called, in ms. Default 30,000. */
  readonly drainMs: number;
}

export const defaultGatewayLimits: GatewayLimits = {
  bodyBytes: 32 * 1024 * 1024,
  headerBytes: 32 * 1024,
  headersMs: 15_000,
  requestMs: 120_000,
  idleMs: 65_000,
  connections: 2_048,
  keepAliveMs: 15_000,
  interimMs: 60_000,
  stalledClientMs: 120_000,
  handOverMs: 1_000,
  drainMs: 30_000,
};

export const defaultHost = "127.0.0.1";
export const defaultPort = 4141;

/** Throws `usage` for a bind that other machines can reach and nobody has asked for, and for a key that protects nothing. */
export function checkOptions({ host = defaultHost, clientKey, adminKey, exposeToOtherMachines }: GatewayOptions): void {
  if (clientKey.trim().length < 16) {
    throw new UnderstudyError("usage", "the gateway needs a client key of at least 16 characters");
  }
  if (adminKey !== undefined && (adminKey.trim().length < 16 || adminKey.trim() === clientKey.trim())) {
    throw new UnderstudyError("usage", "the status page needs a key of its own, of at least 16 characters");
  }
  if (!isLoopback(host) && exposeToOtherMachines !== true) {
    throw new UnderstudyError(
      "usage",
      `${host} can be reached from other machines, and the gateway holds your logins: say so with --expose, or stay on ${defaultHost}`,
    );
  }
}

/** True for a host that only this machine reaches. IPv6 with or without brackets. */
export function isLoopback(host: string): boolean {
  return isLoopbackHost(host === "::1" ? "[::1]" : host);
}
