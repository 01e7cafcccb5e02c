/**
 * Builds the status page: `page/` into `dist/page/`, where the gateway looks for it. Fails when it is larger than it may be.
 */
import { readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";

const root = resolve(import.meta.dirname, "..");

/** Where the built page lies. */
export const pageFolder: string = join(root, "dist/page");

/** What all files of the page may have together, each compressed, in bytes. */
export const pageBudget = 60_000;

/** Builds it aside and puts it in place as a whole: a gateway that runs, or another build, never meets half of one. */
export async function buildPage(): Promise<void> {
  const aside = `${pageFolder}-${process.pid}`;
  await build({
    root: join(root, "page"),
    configFile: false,
    logLevel: "warn",
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    build: {
      outDir: aside,
      emptyOutDir: true,
      target: "es2022",
      modulePreload: { polyfill: false },
      // Everything is a file of its own: the page's security policy knows no data addresses.
      assetsInlineLimit: 0,
    },
  });
  rmSync(pageFolder, { recursive: true, force: true });
  renameSync(aside, pageFolder);
}

/** The compressed size of the built page, in bytes. */
export function measurePage(): number {
  return readdirSync(pageFolder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((size, entry) => size + gzipSync(readFileSync(join(entry.parentPath, entry.name))).length, 0);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildPage();
  const size = measurePage();
  console.log(`the status page: ${(size / 1_000).toFixed(1)} kB compressed, of ${pageBudget / 1_000} kB`);
  if (size > pageBudget) {
    console.error("The status page is too large.");
    process.exit(1);
  }
}
