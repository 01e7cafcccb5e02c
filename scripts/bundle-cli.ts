/**
 * Bundles the command line: a start that reads a handful of files instead of hundreds. Each command stays a chunk of its own, loaded
 * when it is asked for. Everything lands in `<outDir>/cli/`, two folders below package.json, where `version.ts` looks for it.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Plugin, rolldown } from "rolldown";

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
    external: isExternal,
    // What a small command needs is in one file, whoever else loads it later.
    checks: { ineffectiveDynamicImport: false },
    plugins: [lighterCommander, lighterChunks],
    transform: { define: { understudyBuild: JSON.stringify(buildId()) } },
  });
  await bundle.write({
    dir: resolve(root, outDir, "cli"),
    format: "cjs",
    entryFileNames: "[name].js",
    chunkFileNames: "[name]-[hash].js",
    cleanDir: clean,
    // No comments and no indentation; names stay, for whoever reads a stack.
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
    codeSplitting: {
      groups: [
        // What runs before compiled code is kept.
        { name: "boot", test: bootModules, priority: 2 },
        // What every command that looks at accounts needs: one file is found and read faster than forty.
        { name: "start", test: startModules, priority: 1 },
      ],
    },
  });
  await bundle.close();
  // CommonJS starts faster: an `import` of `node:fs` loads everything that `node:fs` could ever give, `require` does not.
  writeFileSync(join(root, outDir, "cli/package.json"), '{ "type": "commonjs" }\n');
}

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
};
const optional = new Set(Object.keys({ ...manifest.optionalDependencies, ...manifest.peerDependencies }));

const bootModules = /[\\/]src[\\/](?:cli[\\/]main|platform[\\/](?:compile-cache|package-version|warm-code))\.ts$/;
const startModules =
  /[\\/]src[\\/](?:cli[\\/](?:run|program|commands[\\/]auth(?:[\\/](?:list|status))?)|stores[\\/]sqlite[\\/]open)\.ts$/;

/** Node's own modules, and what is only there if somebody has installed it. */
function isExternal(id: string): boolean {
  return /^(?:node:|@opentelemetry\/)/.test(id) || optional.has(id);
}

/**
 * Commander could start programs as its commands. Ours has none, and what starts programs takes long to load. Of the rest it imports
 * what a bundle would make a copy of, name by name, at each start.
 */
const lighterCommander: Plugin = {
  name: "lighter-commander",
  transform(code, id) {
    if (!/[\\/]commander[\\/]lib[\\/]/.test(id)) return null;
    return code.replaceAll(/^import (\w+) from 'node:(\w+)';$/gm, (_, name: string, builtin: string) => {
      if (builtin === "process") return "";
      return builtin === "child_process"
        ? `const ${name} = {};`
        : `const ${name} = process.getBuiltinModule("node:${builtin}");`;
    });
  },
};

/**
 * What every start reads, as V8 reads it fastest: in ASCII, which takes one byte a character wherever it goes; and with exports that are values. Rolldown writes a
 * getter for each, since a variable might get another value: one that can keeps it.
 */
const lighterChunks: Plugin = {
  name: "lighter-chunks",
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== "chunk" || !["main", "start"].includes(chunk.name)) continue;
      if (chunk.code.includes("String.raw")) throw new Error(`${chunk.fileName} would change its meaning in ASCII`);
      chunk.code = chunk.code
        .replaceAll(
          /Object\.defineProperty\(exports,["`]([\w$]+)["`],\{enumerable:true,get:function\(\)\{return ([\w$]+)\}\}\)/g,
          (getter: string, name: string, local: string) =>
            new RegExp(`\\blet ${local.replaceAll("$", "\\$")}\\b`).test(chunk.code)
              ? getter
              : `exports.${name}=${local}`,
        )
        .replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
    }
  },
};

/** Another one whenever a source is another one: what a bundle keeps for itself, no other bundle takes. */
function buildId(): string {
  const hash = createHash("sha256");
  const sources = join(root, "src");
  for (const file of readdirSync(sources, { recursive: true, encoding: "utf8" }).sort()) {
    if (file.endsWith(".ts")) hash.update(`${file}\n`).update(readFileSync(join(sources, file)));
  }
  return hash.digest("hex").slice(0, 16);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundleCli("dist", true);
