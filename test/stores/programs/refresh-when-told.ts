/**
 * Opens the installation whose configuration is the JSON in `argv[2]`, and when a line comes on standard input makes its one Codex
 * login good `argv[3]` times at once. Prints the generations that were given, as JSON.
 */
import { once } from "node:events";
import { openWorkspace } from "../../../src/workspace.ts";

const [, , config = "{}", times = "1"] = process.argv;
const workspace = await openWorkspace({ config: JSON.parse(config) as object });
const [login] = await workspace.store.listCredentials("codex");
if (login?.kind !== "oauth") throw new Error("no login");
console.log("ready");
await once(process.stdin, "data");
process.stdin.destroy();
const results = await Promise.all(Array.from({ length: Number(times) }, async () => workspace.keeper.makeGood(login)));
const generations = results.map((result) => (result.ok ? result.credential.grant.generation : result.failure.message));
console.log(JSON.stringify([...new Set(generations)]));
await workspace.close();
