/**
 * Hand-overs as the gateway's process sees them: from the moment at which a provider's refusal is there until the next attempt has been
 * written to its connection. Over loopback, 60 turns a second, after some thousands that come faster and are not counted: V8's compilers share
 * the core, and whoever they interrupt waits for 3 to 9 ms. The request is bytes and V8 is told the same, as in the gateway. Prints one JSON line.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { resolveRoute } from "../../src/config/resolve-route.ts";
import { Secret } from "../../src/core/secret.ts";
import type { Transport } from "../../src/core/transport.ts";
import { BodyBytes } from "../../src/gateway/body-bytes.ts";
import { optimizeEarly } from "../../src/platform/optimize-early.ts";
import { createNetworkTransport } from "../../src/transport/transport.ts";
import { runTurn } from "../../src/turn/run-turn.ts";
import { openWorkspace } from "../../src/workspace.ts";
import { requestBody } from "../payloads.ts";

const answer = JSON.stringify({
  id: "resp_1",
  object: "response",
  status: "completed",
  output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text: "Done." }] }],
  usage: { input_tokens: 512, output_tokens: 2, total_tokens: 514 },
});
const refusal = JSON.stringify({ error: { code: "rate_limit_exceeded", message: "Rate limit reached." } });

let asked = 0;
const server = createServer((request, response) => {
  request.resume().on("end", () => {
    asked += 1;
    if (asked % 2 === 0) response.writeHead(200, { "content-type": "application/json" }).end(answer);
    else response.writeHead(429, { "content-type": "application/json", "retry-after-ms": "1" }).end(refusal);
  });
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;

const gaps: number[] = [];
let refusedAt = 0;
const network = createNetworkTransport();
const transport: Transport = {
  async send(request) {
    const sending = network.send(request);
    if (refusedAt > 0) gaps.push(performance.now() - refusedAt);
    refusedAt = 0;
    const response = await sending;
    if (response.status === 429) refusedAt = performance.now();
    return response;
  },
  close: () => network.close(),
};

const folder = mkdtempSync(join(tmpdir(), "bench-hand-over-"));
const workspace = await openWorkspace({
  env: { UNDERSTUDY_HOME: folder },
  transport,
  config: { providers: { bench: { protocol: "responses", baseUrl } }, routes: { r: ["bench/m"] } },
});
// Each rests for a second once it was refused: enough for 800 hand-overs in that time.
for (let i = 0; i < 800; i++) {
  const source = { from: "stored", secret: new Secret(`sk-bench-key-number-${i}`) } as const;
  await workspace.store.addApiKey({ provider: "bench", label: `key-${i}`, source, at: Date.now() });
}
// As `understudy serve` does.
optimizeEarly();
const body = Buffer.from(requestBody("r", 2_048, false));
const route = resolveRoute(workspace.config, "r");
await takeTurns(10_000, 1);
gaps.length = 0;
await takeTurns(Number(process.argv[2] ?? 20_000), 16);
await workspace.close();
await transport.close();
server.close();
rmSync(folder, { recursive: true });
const times = gaps.sort((a, b) => a - b);
const at = (share: number): number => times[Math.floor(share * (times.length - 1))] ?? Number.NaN;
console.log(JSON.stringify({ handOvers: times.length, p50Ms: at(0.5), p99Ms: at(0.99) }));

/** One after the other for `forMs`, with a pause of `pauseMs` behind each. */
async function takeTurns(forMs: number, pauseMs: number): Promise<void> {
  const until = Date.now() + forMs;
  while (Date.now() < until) {
    const request = { dialect: "responses", body: new BodyBytes(body), stream: false } as const;
    const result = await runTurn(workspace.runtime, request, { route });
    if (!result.ok) throw new Error(`a turn failed: ${result.failure?.message}`);
    for await (const _ of result.answer.bytes());
    await result.done;
    await sleep(pauseMs);
  }
}
