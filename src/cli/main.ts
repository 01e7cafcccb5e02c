#!/usr/bin/env node
import { isSupportedNode, oldestNode } from "../platform/node-version.ts";

// Nothing else may be imported before the check: an older Node would stop at the first module it can't load, with an error
// that says nothing about its age.
if (isSupportedNode(process.version)) {
  silenceSqliteWarning();
  const { run } = await import("./run.ts");
  await run(process.argv.slice(2));
} else {
  process.stderr.write(`understudy needs Node ${oldestNode} or newer, and this is ${process.version}.\n`);
  process.exitCode = 1;
}

/** Node 22 calls its own SQLite experimental, once per process. That is for us to know, not for the person. */
function silenceSqliteWarning(): void {
  const emitWarning = process.emitWarning.bind(process) as (...args: readonly unknown[]) => void;
  process.emitWarning = (warning: string | Error, ...rest: readonly unknown[]) => {
    const text = typeof warning === "string" ? warning : warning.message;
    if (!text.startsWith("SQLite is an experimental feature")) emitWarning(warning, ...rest);
  };
}
