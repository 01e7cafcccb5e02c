/**
 * Every real client through every fault: `npm run test:clients`. Prints a table: exit code, requests that the client made, what the
 * person saw; exits 1 when one of them is not as `scenarios.ts` says. `CLIENT=` and `SCENARIO=` take parts of names.
 */
import { spawn } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";
import { stripVTControlCharacters } from "node:util";
import { type Client, clients, spoken } from "./clients.ts";
import { type Scenario, scenarios } from "./scenarios.ts";
import { openClientStage } from "./stage.ts";

/** A client that is not done by then is ended. A healthy one takes 1 to 15 s here. */
const limitMs = 60_000;

interface Outcome {
  readonly client: string;
  readonly scenario: string;
  readonly ok: boolean;
  readonly exit: number | string;
  readonly requests: number;
  readonly switches: number;
  readonly seconds: number;
  readonly saw: string;
}

let posts = 0;
let port = 0;
subscribe("http.server.request.start", (message) => {
  const { request } = message as { request: IncomingMessage };
  if (request.method === "POST" && request.socket.localPort === port) posts += 1;
});

async function runOne(client: Client, scenario: Scenario): Promise<Outcome> {
  await using stage = await openClientStage();
  const unset = scenario.set(stage);
  const expected = client.isSdk ? (scenario.sdkExpects ?? scenario.expects) : scenario.expects;
  const isTool = scenario.expects === "tool";
  if (isTool) {
    stage.simulator.codex.script({ name: "tool-call", toolCalls: [client.tool] });
    // opencode asks for a title as well, and whoever comes first gets the call.
    if (client.extra > 0) stage.simulator.codex.script({ name: "tool-call", toolCalls: [client.tool] });
  }
  posts = 0;
  port = stage.gateway.port;
  const { model = "coding" } = scenario;
  const { program, args, env } = client.run(stage, { prompt: "say hello", model, tool: isTool });
  const started = Date.now();
  const { exit, output } = await runProgram(
    program,
    args,
    { PATH: process.env["PATH"] ?? "", HOME: stage.home, ...env },
    stage.home,
  );
  unset?.();
  const seconds = Math.round((Date.now() - started) / 100) / 10;
  const requests = posts;
  const sent = JSON.stringify(stage.simulator.requests.map(({ body }) => body));
  const ok =
    (expected === "stop"
      ? exit !== 0 && exit !== "ended" && (scenario.sees?.test(output) ?? true)
      : exit === 0 &&
        output.replaceAll(/\s+/g, " ").includes(wantedText(scenario)) &&
        (!isTool || sent.includes(`"${spoken}`) || sent.includes(`${spoken}\\n`))) &&
    requests <= scenario.requests * (1 + client.extra) + (scenario.requests === 0 ? 9 : 0);
  const saw = lastWords(output);
  return { client: client.name, scenario: scenario.name, ok, exit, requests, switches: stage.switches(), seconds, saw };
}

function wantedText(scenario: Scenario): string {
  return scenario.says ?? "The simulator heard:";
}

function runProgram(
  program: string,
  args: readonly string[],
  env: Record<string, string>,
  cwd: string,
): Promise<{ exit: number | string; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      env: { TERM: "dumb", NO_COLOR: "1", ...env },
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let output = "";
    let ended = false;
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const timer = setTimeout(() => {
      ended = true;
      endGroup(child.pid);
    }, limitMs);
    child.on("error", (error) => (output += error.message));
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      endGroup(child.pid);
      resolve({ exit: ended ? "ended" : (code ?? signal ?? "?"), output });
    });
  });
}

/** The client and whatever it has started, by the group that only they are in. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // All of them are gone.
  }
}

/** The end of what the person saw, without colours, paths and repetitions. */
function lastWords(output: string): string {
  const lines = output
    .split("\n")
    .map((line) => stripVTControlCharacters(line).trim())
    .filter((line) => line !== "" && !/^(tokens used|[\d,]+|-+|warning: Codex could not find)/.test(line));
  return [...new Set(lines)].slice(-3).join(" ⏎ ").slice(-200);
}

const wantedClient = (process.env["CLIENT"] ?? "").toLowerCase();
const wantedScenario = (process.env["SCENARIO"] ?? "").toLowerCase();
const outcomes: Outcome[] = [];
console.log(
  "| client | fault | | exit | requests | switches | s | what the person saw |\n|---|---|---|---|---|---|---|---|",
);
for (const client of clients.filter(({ name }) => name.toLowerCase().includes(wantedClient))) {
  for (const scenario of scenarios.filter(({ name }) => name.toLowerCase().includes(wantedScenario))) {
    const outcome = await runOne(client, scenario);
    outcomes.push(outcome);
    const { exit, requests, switches, seconds, saw, ok } = outcome;
    const cells = [
      client.name,
      scenario.name,
      ok ? "ok" : "**no**",
      exit,
      requests,
      switches,
      seconds,
      saw.replaceAll("|", "\\|"),
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
}
const failed = outcomes.filter(({ ok }) => !ok).length;
console.log(`\n${outcomes.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
