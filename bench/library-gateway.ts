/**
 * The gateway of a built package, started through the library: with its journal and its metrics, or without. There is no such switch in
 * the product; this is how to measure what they cost. One process, which SIGHUP takes to the next of `modes`, so that nothing else
 * differs: two processes of the same code differ by several percent for as long as they live. It has no status page, and no spans.
 *
 *   UNDERSTUDY_HOME=… node bench/library-gateway.ts DIST
 */
import { join, resolve } from "node:path";
import type { TurnRecord } from "../src/core/events.ts";
import type * as ClientKeyModule from "../src/gateway/client-key.ts";
import type * as GatewayModule from "../src/gateway/gateway.ts";
import type * as WorkspaceModule from "../src/workspace.ts";

/** What is on, one after the other, and from the beginning again. */
const modes = [
  { journal: true, metrics: true },
  { journal: false, metrics: true },
  { journal: false, metrics: false },
] as const;
let at = 0;

const [dist = ""] = process.argv.slice(2);

const load = async <T>(name: string): Promise<T> => (await import(join(resolve(dist), name))) as T;
const { openWorkspace } = await load<typeof WorkspaceModule>("workspace.js");
const { createGateway } = await load<typeof GatewayModule>("gateway/gateway.js");
const { clientKeyFile, readOrCreateClientKey } = await load<typeof ClientKeyModule>("gateway/client-key.js");

const workspace = await openWorkspace();
const { store } = workspace;
const appendTurn = store.appendTurn.bind(store);
Object.assign(store, {
  appendTurn: (turn: TurnRecord) => (modes[at]?.journal === true ? appendTurn(turn) : undefined),
});
const onTurn = workspace.onTurn.bind(workspace);
Object.assign(workspace, {
  onTurn: (observe: Parameters<typeof onTurn>[0]) => onTurn(() => (modes[at]?.metrics === true ? observe() : null)),
});
const clientKey = readOrCreateClientKey(clientKeyFile(workspace.home));
const options = { workspace, clientKey, port: 0, spans: false };
const gateway = await createGateway(options);
process.on("SIGHUP", () => {
  at = (at + 1) % modes.length;
});
console.log(gateway.url);
