import { execFileSync } from "node:child_process";
import { cpus, loadavg, release, totalmem } from "node:os";
import { measuredCore } from "./native.ts";

/** Where a result was made. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly node: string;
  readonly nginx: string;
  readonly measuredCore: string;
  /** Of the last 1, 5 and 15 minutes at the end of the run: what else the machine had to do. */
  readonly loadAverage: readonly number[];
  readonly commit: string;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    nginx: said("nginx", ["-v"]).replace(/^.*nginx\//s, ""),
    measuredCore,
    loadAverage: loadavg().map((load) => Math.round(load * 100) / 100),
    commit: said("git", ["rev-parse", "--short", "HEAD"]),
  };
}

/** What a program says of itself, on either stream; empty when there is no such program. */
function said(program: string, args: readonly string[]): string {
  try {
    return execFileSync("sh", ["-c", `${program} ${args.join(" ")} 2>&1`], { encoding: "utf8" }).trim();
  } catch {
    return "";
  }
}
