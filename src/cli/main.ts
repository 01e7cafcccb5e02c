#!/usr/bin/env node
import { writeSync } from "node:fs";
import { keepCompiledCode } from "../platform/compile-cache.ts";
import { isSupportedNode, oldestNode } from "../platform/node-version.ts";
import { readPackageVersion } from "../platform/package-version.ts";

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
  keepCompiledCode();
  const { run } = await import("./run.ts");
  await run(argv);
}

/** Node 22 calls its own SQLite experimental, once per process. That is for us to know, not for the person. */
function silenceSqliteWarning(): void {
  const emitWarning = process.emitWarning.bind(process) as (...args: readonly unknown[]) => void;
  process.emitWarning = (warning: string | Error, ...rest: readonly unknown[]) => {
    const text = typeof warning === "string" ? warning : warning.message;
    if (!text.startsWith("SQLite is an experimental feature")) emitWarning(warning, ...rest);
  };
}
