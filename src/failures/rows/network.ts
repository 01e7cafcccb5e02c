import type { ProvenRow } from "../row.ts";

const node = "Node.js error codes";

/** The way to the provider, and the limits that a turn sets itself. */
export const networkRows: readonly ProvenRow[] = [
  {
    name: "caller-cancelled",
    match: { networkCode: ["CALLER_CANCELLED", "ABORT_ERR"] },
    reason: "cancelled",
    fixture: "caller-cancelled.json",
    source: "this package: the caller's abort signal",
  },
  {
    name: "connect-timed-out",
    where: { phases: ["connect"] },
    match: { networkCode: /TIMEOUT|TIMEDOUT/ },
    reason: "network",
    next: "next_target",
    fixture: "connect-timed-out.json",
    source: node,
  },
  {
    name: "silence",
    match: { networkCode: /TIMEOUT|TIMEDOUT/ },
    reason: "timeout",
    fixture: "silence.json",
    source: `this package: FIRST_EVENT_TIMEOUT and IDLE_TIMEOUT; ${node}`,
  },
  {
    // Trying the same address again rarely helps; if there is nowhere else to go, it is tried again all the same.
    name: "unreachable",
    match: {
      networkCode: [
        "ENOTFOUND",
        "EAI_NONAME",
        "EAI_NODATA",
        "ECONNREFUSED",
        "EHOSTUNREACH",
        "ENETUNREACH",
        "ERR_INVALID_URL",
        "UND_ERR_INVALID_ARG",
      ],
    },
    reason: "network",
    next: "next_target",
    fixture: "unreachable.json",
    source: node,
  },
  {
    name: "tls-certificate",
    match: { networkCode: /^(?:CERT_|ERR_TLS_CERT|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH)/ },
    reason: "network",
    next: "next_target",
    fixture: "tls-certificate.json",
    source: "OpenSSL verification results, as Node.js names them",
  },
  {
    name: "event-too-large",
    match: { networkCode: ["EVENT_TOO_LARGE"] },
    reason: "server_error",
    next: "next_target",
    fixture: "event-too-large.json",
    source: "this package: the limit for one stream event",
  },
  {
    name: "network",
    match: { networkCode: /./ },
    reason: "network",
    fixture: "network.json",
    source: node,
  },
  {
    name: "network-words",
    match: {
      status: [0],
      message:
        /server disconnected|peer closed connection|connection (?:reset|closed|aborted|refused|error)|connection was (?:reset|closed)|network connection lost|socket hang up|unexpected eof|incomplete chunked read|bad[ _]record[ _]mac|(?:ssl|tls)[ _](?:alert|handshake)|\[ssl:/i,
    },
    reason: "network",
    fixture: "network-words.json",
    source: "Hermes #34820 and its lists of transport errors; gateways that pass on their own transport's words",
  },
];
