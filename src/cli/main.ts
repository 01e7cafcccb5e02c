#!/usr/bin/env node
import { writeSync } from "node:fs";
import { dirname } from "node:path";
import { findCompiledFolder, isCompileCacheChosen, keepCompiledCode } from "../platform/compile-cache.ts";
import { isSupportedNode, oldestNode } from "../platform/node-version.ts";
import { readPackageVersion } from "../platform/package-version.ts";
import { useWarmCode } from "../platform/warm-code.ts";

/** The commands whose code is kept as it is when they have run: small ones, that scripts run again and again. */
const warmCommands: ReadonlySet<string> = new Set(["auth list", "auth status", "routes", "why", "usage"]);

/** The file of the bundle that they run through: see `scripts/bundle-cli.ts`. */
const startFile = /[\\/]start-[\w-]+\.js$/;

void start();

/**
 * Nothing but these few modules may be imported before the check: an older Node would stop at the first module it can't load, with an
 * error that says nothing about its age.
 */
async function start(): Promise<void> {
  if (!isSupportedNode(process.version)) {
    process.stderr.write(`understudy needs Node ${oldestNode} or newer, and this is ${process.version}.\n`);
    process.exitCode = 1;
    return;
  }
  const argv = process.argv.slice(2);
  if (argv.length === 1 && (argv[0] === "--version" || argv[0] === "-v")) {
    // Not through process.stdout, which takes longer to make than all the rest.
    writeSync(1, `${readPackageVersion()}\n`);
    return;
  }
  silenceSqliteWarning();
  keepCode(argv);
  const { run } = await import("./run.ts");
  await run(argv);
}

function keepCode(argv: readonly string[]): void {
  const folder = findCompiledFolder();
  if (folder === null) return;
  const command = [argv[0], argv.slice(0, 2).join(" ")].find((words) => words !== undefined && warmCommands.has(words));
  if (command !== undefined && !isCompileCacheChosen()) {
    const isKept = (path: string): boolean => dirname(path) === import.meta.dirname && startFile.test(path);
    useWarmCode({ folder, command: command.replace(" ", "-"), isKept });
  }
  keepCompiledCode(folder);
}

/** Node 22 calls its own SQLite experimental, once per process. That is for us to know, not for the person. */
function silenceSqliteWarning(): void {
  const emitWarning = process.emitWarning.bind(process) as (...args: readonly unknown[]) => void;
  process.emitWarning = (warning: string | Error, ...rest: readonly unknown[]) => {
    const text = typeof warning === "string" ? warning : warning.message;
    if (!text.startsWith("SQLite is an experimental feature")) emitWarning(warning, ...rest);
  };
}
