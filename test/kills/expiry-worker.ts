/**
 * Opens the installation whose configuration is the JSON in `argv[2]`. For each number that comes as a line on standard input it runs
 * so many turns at once and tells, as a line of JSON, how long each of them took, how long it waited for its token, and what failed.
 */
import { createInterface } from "node:readline";
import { resolveRoute } from "../../src/config/resolve-route.ts";
import { toTurnRequest } from "../../src/turn/turn-input.ts";
import { startTurn } from "../../src/turn/turn.ts";
import { openWorkspace } from "../../src/workspace.ts";
import type { ExpiryReport } from "./expiry.ts";

const workspace = await openWorkspace({ config: JSON.parse(process.argv[2] ?? "{}") as object });
const { keeper } = workspace;
let waitsMs: number[] = [];
const runtime = {
  ...workspace.runtime,
  keeper: {
    ...keeper,
    async makeGood(...given: Parameters<typeof keeper.makeGood>) {
      const begun = performance.now();
      const result = await keeper.makeGood(...given);
      waitsMs.push(performance.now() - begun);
      return result;
    },
  },
};

async function turn(report: { turnsMs: number[]; failures: string[] }): Promise<void> {
  const begun = performance.now();
  try {
    await startTurn(runtime, toTurnRequest("hello"), { route: resolveRoute(workspace.config, "only") }).answer;
    report.turnsMs.push(performance.now() - begun);
  } catch (error) {
    report.failures.push(error instanceof Error ? error.message : String(error));
  }
}

for await (const line of createInterface(process.stdin)) {
  const report = { turnsMs: [] as number[], failures: [] as string[] };
  waitsMs = [];
  await Promise.all(Array.from({ length: Number(line) }, () => turn(report)));
  console.log(JSON.stringify({ ...report, waitsMs } satisfies ExpiryReport));
}
await workspace.close();
