/**
 * The gateway of a built package, started through the library: with its journal and its metrics, or without. There is no such switch in
 * the product; this is how to measure what they cost. One process, which SIGURG takes to the next of `modes`, since two processes of the same code differ
 * by several percent for as long as they live. There and back, so that each mode comes after each other one: what one leaves behind is paid by the
 * next. The time to the first event is counted in all of them. It has no status page, and no spans.
 *
 *   UNDERSTUDY_HOME=… node bench/library-gateway.ts DIST
 */
import { join, resolve } from "node:path";
import type { TurnRecord } from "../src/core/events.ts";
import type * as ClientKeyModule from "../src/gateway/client-key.ts";
import type * as GatewayModule from "../src/gateway/gateway.ts";
import type * as WorkspaceModule from "../src/workspace.ts";

const whole = { journal: true, metrics: true };
const noJournal = { journal: false, metrics: true };
const neither = { journal: false, metrics: false };
/** What is on, one after the other, and from the beginning again. */
const modes = [whole, noJournal, neither, neither, noJournal, whole];
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
process.on("SIGURG", () => {
  at = (at + 1) % modes.length;
});
console.log(gateway.url);
