/**
 * The least that the work of the benchmark's JSON rows takes on Node: what `bare.ts` does, and each thing that the row names, once and straight: the
 * client's key checked, the route resolved from the body, one of eight keys in turn, the model written anew, the answer judged and its usage read, the
 * journal written, metrics counted. No turn around it: nothing is tried twice, refused, waited for or held back, no page, no conversation that stays
 * with its key, no host or encoding looked at. It is no gateway; it says how near to the goals one could come at all.
 *
 *   UNDERSTUDY_HOME=… node bench/least.ts UPSTREAM_PORT
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { resolveRoute } from "../src/config/resolve-route.ts";
import { Canceller } from "../src/core/cancel.ts";
import type { TransportResponse } from "../src/core/transport.ts";
import { BodyBytes } from "../src/gateway/body-bytes.ts";
import { clientKeyFile, createKeyCheck, readOrCreateClientKey } from "../src/gateway/client-key.ts";
import { createMetrics } from "../src/gateway/metrics.ts";
import { joined } from "../src/gateway/read-body.ts";
import { keepHeapModest } from "../src/platform/modest-heap.ts";
import { optimizeEarly } from "../src/platform/optimize-early.ts";
import { createTurnIds } from "../src/platform/turn-ids.ts";
import { editBytes, scanRouting, valueOf } from "../src/protocols/json-bytes.ts";
import { protocols } from "../src/protocols/index.ts";
import { createHttp1Client } from "../src/transport/http1.ts";
import { openWorkspace } from "../src/workspace.ts";

const [upstreamPort = ""] = process.argv.slice(2);
optimizeEarly();
keepHeapModest();
const workspace = await openWorkspace();
const { store, clock, config, home } = workspace;
const hasKey = createKeyCheck(readOrCreateClientKey(clientKeyFile(home)));
const metrics = createMetrics(workspace, () => 0);
const newTurnId = createTurnIds(clock);
const client = createHttp1Client({ connectTimeoutMs: 5_000, connectionsPerOrigin: 2_048, onFault() {} });
const url = `http://127.0.0.1:${upstreamPort}/v1/responses`;
const credentials = (await store.listCredentials("bench")).map(({ id, label }, i) => ({
  id,
  label,
  headers: {
    authorization: `Bearer sk-bench-key-number-${i}`,
    "content-type": "application/json",
    accept: "application/json",
  },
}));
const decoder = new TextDecoder();
let turns = 0;

function ask(request: IncomingMessage, response: ServerResponse): void {
  if (!hasKey(request.headers)) {
    response.writeHead(401).end();
    return;
  }
  const expected = Number(request.headers["content-length"]);
  const body: Buffer[] = [];
  let size = 0;
  request.on("data", (chunk: Buffer) => {
    body.push(chunk);
    size += chunk.length;
    if (size === expected) answer(body.length === 1 && chunk.length === size ? chunk : joined(body, size), response);
  });
}

function answer(bytes: Buffer, response: ServerResponse): void {
  const startedAt = clock.now();
  const began = performance.now();
  const json = new BodyBytes(bytes);
  const scan = scanRouting(json);
  const model = scan === null ? undefined : valueOf(json, scan, "model");
  const route = typeof model === "string" ? model : "";
  const [target] = route === "" ? [] : resolveRoute(config, route).targets;
  const credential = credentials[turns++ % credentials.length];
  const edited = target === undefined ? null : editBytes(json, { set: { model: target.model }, remove: [] });
  if (target === undefined || credential === undefined || edited === null) {
    response.writeHead(404).end();
    return;
  }
  const { id, label, headers } = credential;
  void store.recordUse(id, startedAt);
  const candidate = { provider: target.provider, model: target.model, credential: { id, label } };
  const turnId = newTurnId();
  const tell = metrics.observeTurn();
  tell({ type: "attempt-start", attempt: 1, candidate, at: startedAt });
  const left = new Canceller();
  response.once("close", () => {
    if (!response.writableFinished) left.abort(new Error("the client left"));
  });
  const passOn = (given: TransportResponse): void => {
    const { status, headers: got, whole } = given;
    if (status !== 200 || whole === undefined) return void response.destroy();
    const verdict = protocols.responses.readAnswer(JSON.parse(decoder.decode(whole)));
    if (verdict.kind === "failure") return void response.destroy();
    const endedAt = clock.now();
    tell({ type: "committed", attempt: 1, candidate, overheadMs: performance.now() - began, at: endedAt });
    response.writeHead(200, {
      "content-type": got["content-type"] ?? "application/json",
      "content-length": whole.length,
      "x-understudy-turn": turnId,
    });
    response.end(whole);
    const { usage } = verdict;
    tell({ type: "turn-end", turnId, outcome: "answered", attempts: 1, usage, cost: null, failure: null, at: endedAt });
    const attempt = { candidate, startedAt, called: true, failure: null, decision: null, endedAt };
    void store.appendTurn({
      id: turnId,
      route,
      startedAt,
      endedAt,
      outcome: "answered",
      attempts: [attempt],
      usage,
      cost: null,
    });
  };
  client.send({ method: "POST", url, headers, body: edited, signal: left }).then(passOn, () => response.destroy());
}

const server = createServer({ noDelay: true }, ask);
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
