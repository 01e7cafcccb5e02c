import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ben, type DemoStage } from "./demo-stage.ts";

/** The command that a person is told to run. */
export const command: readonly string[] = ["auth", "add", "codex", "--force-new-login", "--no-browser"];

/**
 * Runs `understudy auth add codex --force-new-login` as a process of its own, as a person would, and plays the person at the
 * issuer's page: approves the code that the command shows. Rejects when the command fails. `signal` is to it what Ctrl-C is.
 */
export async function runSignIn(stage: DemoStage, show: (line: string) => void, signal: AbortSignal): Promise<void> {
  const { codexIssuer } = stage.simulator;
  show(`$ understudy ${command.slice(0, 4).join(" ")}`);
  const main = fileURLToPath(new URL(`../cli/main${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url));
  const child = spawn(process.execPath, [main, ...command], {
    // The demo's store has a key of its own.
    env: { ...process.env, UNDERSTUDY_KEY: "", ...stage.env },
    stdio: ["ignore", "pipe", "pipe"],
    signal,
    killSignal: "SIGINT",
  });
  const ended = new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  const said: string[] = [];
  for (const output of [child.stdout, child.stderr]) {
    output.setEncoding("utf8").on("data", (text: string) => {
      for (const line of text.split("\n").filter((part) => part.trim() !== "")) {
        said.push(line);
        show(line);
      }
    });
  }
  await Promise.race([codexIssuer.until(() => codexIssuer.pendingUserCodes.length > 0), ended]);
  const code = codexIssuer.pendingUserCodes[0];
  if (code !== undefined) {
    codexIssuer.approveDevice(code, ben);
    show(`(${ben} opens the page and types ${code})`);
  }
  const exitCode = await ended;
  if (exitCode !== 0) throw new Error(`the sign-in ended with ${exitCode}: ${said.join(" ")}`);
}
