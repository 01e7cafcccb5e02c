/** What it costs to bring one text event of a stream into another dialect, in µs. Prints one JSON line. */
import { protocolNames, type ProtocolName } from "../../src/core/target.ts";
import type { Part } from "../../src/protocols/canonical.ts";
import { protocols } from "../../src/protocols/index.ts";
import { SseParser } from "../../src/protocols/sse.ts";
import { median } from "../numbers.ts";

const deltas = 500;
const options = { model: "m", id: "resp_1", createdAt: 1_760_000_000_000 };
const usage = { input: 10, output: 500, cachedInput: 0, reasoning: 0 };

function streamIn(protocol: ProtocolName): Buffer {
  const encoder = protocols[protocol].createStreamEncoder(options);
  const parts: Part[] = [
    { type: "text-start", id: "t" },
    ...Array.from({ length: deltas }, (_, i): Part => ({ type: "text-delta", id: "t", text: ` token${i}` })),
    { type: "text-end", id: "t" },
    { type: "finish", reason: "stop", usage },
  ];
  return Buffer.from(parts.map((part) => encoder.encode(part)).join(""));
}

/** Bytes in, bytes out, a chunk for every eight events, as a busy stream arrives. */
function translate(from: ProtocolName, to: ProtocolName, chunks: readonly Uint8Array[]): number {
  const parser = new SseParser();
  const decoder = protocols[from].createStreamDecoder();
  const encoder = protocols[to].createStreamEncoder(options);
  let written = 0;
  const write = (parts: readonly Part[]): void => {
    let text = "";
    for (const part of parts) text += encoder.encode(part);
    if (text !== "") written += Buffer.from(text).length;
  };
  for (const chunk of chunks) for (const event of parser.push(chunk)) write(decoder.decode(event));
  for (const event of parser.end()) write(decoder.decode(event));
  write(decoder.end?.() ?? []);
  return written;
}

const results: Record<string, number> = {};
for (const from of protocolNames) {
  const whole = streamIn(from);
  const size = Math.ceil(whole.length / (deltas / 8));
  const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (_, i) =>
    whole.subarray(i * size, (i + 1) * size),
  );
  for (const to of protocolNames) {
    if (from === to) continue;
    for (let i = 0; i < 40; i++) translate(from, to, chunks);
    const times: number[] = [];
    for (let round = 0; round < 15; round++) {
      const before = process.cpuUsage();
      for (let i = 0; i < 4; i++)
        if (translate(from, to, chunks) < deltas * 20) throw new Error(`${from} to ${to}: too little came out`);
      const { user, system } = process.cpuUsage(before);
      times.push((user + system) / (4 * deltas));
    }
    results[`${from} → ${to}`] = median(times);
  }
}
console.log(JSON.stringify(results));
