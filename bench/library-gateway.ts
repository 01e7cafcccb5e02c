/**
 * The gateway of a built package, started through the library: with its journal and its metrics, or without. There is no such switch in
 * the product; this is how to measure what they cost. Neither has a status page, or spans, so that they differ in nothing else.
 *
 *   UNDERSTUDY_HOME=… node bench/library-gateway.ts DIST [without-journal] [without-metrics]
 */
import { join, resolve } from "node:path";
import type * as ClientKeyModule from "../src/gateway/client-key.ts";
import type * as GatewayModule from "../src/gateway/gateway.ts";
import type * as WorkspaceModule from "../src/workspace.ts";

const [dist = "", ...without] = process.argv.slice(2);

const load = async <T>(name: string): Promise<T> => (await import(join(resolve(dist), name))) as T;
const { openWorkspace } = await load<typeof WorkspaceModule>("workspace.js");
const { createGateway } = await load<typeof GatewayModule>("gateway/gateway.js");
const { clientKeyFile, readOrCreateClientKey } = await load<typeof ClientKeyModule>("gateway/client-key.js");

const workspace = await openWorkspace();
if (without.includes("without-journal")) Object.assign(workspace.store, { appendTurn: () => Promise.resolve() });
if (without.includes("without-metrics")) {
  Object.assign(workspace, { onTurn: () => () => {}, onRefresh: () => () => {} });
}
const clientKey = readOrCreateClientKey(clientKeyFile(workspace.home));
const options = { workspace, clientKey, port: 0, spans: false };
const gateway = await createGateway(options);
console.log(gateway.url);
