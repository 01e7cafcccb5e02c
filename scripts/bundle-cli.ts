/**
 * Bundles the command line: a start that reads a handful of files instead of hundreds. Each command stays a chunk of its own, loaded
 * when it is asked for. Everything lands in `<outDir>/cli/`, two folders below package.json, where `version.ts` looks for it.
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = resolve(import.meta.dirname, "..");

/**
 * Writes `<outDir>/cli/main.js` and its chunks. `outDir` is a folder in the project's root. `clean` takes away what was in it; without
 * it, a program that was started from an older bundle still finds its chunks.
 */
export async function bundleCli(outDir: string, clean: boolean): Promise<void> {
  const bundle = await rolldown({
    cwd: root,
    input: { main: "src/cli/main.ts" },
    platform: "node",
    // Optional; installed by whoever uses them.
    external: [/^node:/, /^@opentelemetry\//, "postgres", "@ai-sdk/provider", "@napi-rs/keyring"],
  });
  await bundle.write({
    dir: resolve(root, outDir, "cli"),
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "[name]-[hash].js",
    cleanDir: clean,
  });
  await bundle.close();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundleCli("dist", true);
