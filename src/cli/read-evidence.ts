import { UnderstudyError } from "../core/error.ts";
import { type ProtocolName, protocolNames } from "../core/target.ts";
import type { Evidence } from "../failures/evidence.ts";
import { protocols } from "../protocols/index.ts";
import type { StreamReader, StreamVerdict } from "../protocols/protocol.ts";
import { parseObject } from "../protocols/read-json.ts";
import { type SseEvent, SseParser } from "../protocols/sse.ts";

export interface EvidenceInput {
  /** What came: an error body, an event's data, or a whole stream. */
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly status?: number;
  /** Name of the stream event whose data `text` is. */
  readonly event?: string;
  /** Null: not known; then it is read as each of them until one sees a failure. */
  readonly protocol: ProtocolName | null;
}

/**
 * What a person handed in, as the evidence that a turn would have had. Null when it is no failure. In this order:
 *
 * 1. An event, or what looks like a stream, goes through the protocol's own stream reader.
 * 2. A status of 400 and more (or of no good answer at all) makes it an error body.
 * 3. Otherwise it is a whole answer, or an event without its name.
 *
 * Throws `usage` when there is nothing to look at.
 */
export function readEvidence(input: EvidenceInput): Evidence | null {
  const { text, status, protocol } = input;
  if (text.trim() === "" && status === undefined) {
    throw new UnderstudyError("usage", "there is nothing to explain: pipe the error in, or give its --status");
  }
  if (protocol !== null) return readAs(protocol, input);
  for (const name of protocolNames) {
    const evidence = readAs(name, input);
    if (evidence === null) continue;
    const { protocol: _, ...neutral } = evidence;
    return neutral;
  }
  return null;
}

function readAs(name: ProtocolName, { text, status, headers, event }: EvidenceInput): Evidence | null {
  const protocol = protocols[name];
  const found = { headers, ...(status === undefined ? {} : { status }) };
  if (event !== undefined) return failureOf(protocol.createStreamReader().read({ event, data: text.trim() }), found);
  if (looksLikeStream(text)) return streamFailure(protocol.createStreamReader(), text, found);
  if (status !== undefined && (status < 200 || status >= 300)) return protocol.readError(status, headers, text);
  const body = parseObject(text);
  if (body === null) return protocol.readError(status ?? 200, headers, text);
  const data = failureOf(protocol.createStreamReader().read({ event: null, data: text }), found);
  if (data !== null) return data;
  const verdict = protocol.readAnswer(body);
  return verdict.kind === "failure" ? { ...found, ...verdict.evidence } : null;
}

/** The first failure of a stream; without one, what is missing at its end. */
function streamFailure(reader: StreamReader, text: string, found: Partial<Evidence>): Evidence | null {
  for (const event of parseStream(text)) {
    const evidence = failureOf(reader.read(event), found);
    if (evidence !== null) return evidence;
  }
  const missing = reader.end();
  return missing === null ? null : { ...found, ...missing };
}

function parseStream(text: string): SseEvent[] {
  const parser = new SseParser();
  return [...parser.push(new TextEncoder().encode(text)), ...parser.end()];
}

function failureOf(verdict: StreamVerdict, found: Partial<Evidence>): Evidence | null {
  return verdict.kind === "failure" ? { ...found, ...verdict.evidence } : null;
}

function looksLikeStream(text: string): boolean {
  return /^\s*(event|data|id|retry):|^\s*:/.test(text);
}
