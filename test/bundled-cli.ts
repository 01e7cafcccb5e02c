import { readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { bundleCli } from "../scripts/bundle-cli.ts";

const root = resolve(import.meta.dirname, "..");

/** Where the tests' own bundle of the command line is. Started hundreds of times, it saves most of their time. */
export const bundledCli: string = join(root, ".test-build/cli/main.js");

/** Before the tests: bundles the command line, if a source is newer than the bundle. */
export default async function setup(): Promise<void> {
  if (newest(join(root, "src")) > modified(bundledCli)) await bundleCli(".test-build", false);
}

function newest(folder: string): number {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return Math.max(...files.map((file) => modified(join(folder, file))));
}

function modified(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
