/**
 * Checks the package as it would be published: packs it, installs it in an empty folder, and uses it there.
 *
 *   node scripts/check-package.ts                 on Node 22, 24 and 26
 *   node scripts/check-package.ts --node 24       on some of them
 *
 * Needs npm and its registry or cache. Everything happens in a temporary folder, with what is committed.
 */
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { parseArgs } from "node:util";

const root = resolve(import.meta.dirname, "..");
const { values } = parseArgs({ options: { node: { type: "string", default: "22,24,26" } } });

/** What may not be passed without somebody having thought about it, in bytes. */
const limits = { tarball: 1_300_000, unpacked: 5_000_000, indexLoads: 900_000 };

/** Prints which files importing the package reads. */
const loads = `
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
const files = new Set();
registerHooks({ load(url, context, next) { if (url.startsWith("file:")) files.add(fileURLToPath(url)); return next(url, context); } });
await import("understudy");
console.log(JSON.stringify([...files]));
`;

const folder = mkdtempSync(join(tmpdir(), "understudy-package-"));
const consumer = join(folder, "consumer");
const failures: string[] = [];

try {
  const tarball = pack();
  checkFiles(tarball);
  checkExports(tarball);
  install(tarball);
  checkDependencies();
  checkTypes();
  for (const version of values.node.split(",")) checkOn(version, installNode(version));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (failures.length > 0) {
  console.error(`\n${failures.join("\n")}\n\n${failures.length} failed`);
  process.exitCode = 1;
} else console.log("\nThe package is in order.");

/** Runs a step and notes what is wrong with it instead of ending there. */
function step(name: string, work: () => string): void {
  try {
    console.log(`ok    ${name}: ${work()}`);
  } catch (error) {
    const { message, stdout, stderr } = error as Error & { stdout?: Buffer | string; stderr?: Buffer | string };
    const said = [stdout, stderr].map((one) => String(one ?? "").trim()).filter((one) => one !== "");
    console.log(`FAIL  ${name}`);
    failures.push([`${name}: ${message}`, ...said].join("\n"));
  }
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

/** Packs what is committed, from a clean folder: what an older build has left behind is not published. The `prepare` script builds. */
function pack(): { readonly path: string; readonly packed: Packed } {
  const source = join(folder, "source");
  execFileSync("git", ["clone", "--quiet", "--local", root, source], { stdio: "pipe" });
  symlinkSync(join(root, "node_modules"), join(source, "node_modules"));
  const output = execFileSync("npm", ["pack", "--json", "--pack-destination", folder], {
    cwd: source,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    stdio: ["ignore", "pipe", "pipe"],
  });
  // What `prepare` prints comes first; newer versions of npm give an object by name instead of a list.
  const parsed = JSON.parse(output.slice(output.search(/^[[{]$/m))) as Packed[] | Record<string, Packed>;
  const [packed] = Object.values(parsed);
  if (packed === undefined) throw new Error("npm pack gave nothing");
  return { path: join(folder, packed.filename), packed };
}

function checkFiles({ packed }: ReturnType<typeof pack>): void {
  step("size of the tarball", () => {
    const { size, unpackedSize } = packed;
    expect(size <= limits.tarball, `${size} bytes, more than ${limits.tarball}`);
    expect(unpackedSize <= limits.unpacked, `${unpackedSize} bytes unpacked, more than ${limits.unpacked}`);
    return `${size} bytes, ${unpackedSize} unpacked, ${packed.files.length} files`;
  });
  step("what is in it", () => {
    const paths = packed.files.map(({ path }) => path);
    for (const wanted of ["README.md", "LICENSE", "CHANGELOG.md", "config.schema.json", "dist/cli/main.js"]) {
      expect(paths.includes(wanted), `${wanted} is missing`);
    }
    const strange = paths.filter(
      (path) => !/^(?:dist\/|README\.md|LICENSE|CHANGELOG\.md|package\.json|config\.schema\.json)/.test(path),
    );
    expect(strange.length === 0, `nobody expects ${strange.join(", ")}`);
    return "no sources, no tests";
  });
}

function checkExports({ path }: ReturnType<typeof pack>): void {
  const bin = (name: string): string => join(root, "node_modules/.bin", name);
  step("publint", () => {
    execFileSync(bin("publint"), ["run", path, "--strict"], { cwd: root, stdio: "pipe" });
    return "no complaint";
  });
  step("are the types wrong?", () => {
    execFileSync(bin("attw"), [path, "--profile", "esm-only", "--exclude-entrypoints", "config.schema.json"], {
      cwd: root,
      stdio: "pipe",
    });
    return "no, for ESM under NodeNext and bundlers";
  });
}

function npm(args: readonly string[], cwd: string): void {
  execFileSync("npm", [...args, "--no-audit", "--no-fund", "--prefer-offline", "--loglevel", "error"], {
    cwd,
    stdio: "pipe",
  });
}

function install(tarball: ReturnType<typeof pack>): void {
  mkdirSync(consumer);
  writeFileSync(join(consumer, "package.json"), '{ "name": "consumer", "private": true, "type": "module" }\n');
  step("npm install in an empty folder", () => {
    npm(["install", "--ignore-scripts", tarball.path], consumer);
    return "without scripts";
  });
}

/** What came along: every direct dependency is justified in a decision, and nothing runs when it is installed. */
function checkDependencies(): void {
  step("dependencies", () => {
    const {
      scripts = {},
      dependencies = {},
      optionalDependencies = {},
    } = readJson(join(root, "package.json")) as {
      scripts?: Record<string, string>;
      dependencies?: Record<string, string>;
      optionalDependencies?: Record<string, string>;
    };
    for (const name of ["preinstall", "install", "postinstall"]) expect(!(name in scripts), `a script ${name}`);
    const note = readFileSync(join(root, "docs/decisions/012-what-the-package-brings-along.md"), "utf8");
    const direct = [...Object.keys(dependencies), ...Object.keys(optionalDependencies)];
    const unjustified = direct.filter((name) => !note.includes(`| \`${name}\` |`));
    expect(unjustified.length === 0, `decision 012 does not speak of ${unjustified.join(", ")}`);
    const { packages } = readJson(join(consumer, "node_modules/.package-lock.json")) as {
      packages: Record<string, { hasInstallScript?: boolean }>;
    };
    const scripted = Object.entries(packages).filter(([, { hasInstallScript }]) => hasInstallScript === true);
    expect(scripted.length === 0, `something would run at install: ${scripted.map(([name]) => name).join(", ")}`);
    return `${direct.length} direct, ${Object.keys(packages).length - 1} in all, none runs anything at install`;
  });
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, "utf8"));
}

/** The types as a consumer sees them, with nothing skipped. */
function checkTypes(): void {
  copyFileSync(join(root, "scripts/package-consumers/consumer.ts.template"), join(consumer, "consumer.ts"));
  step("what types need besides", () => {
    const { devDependencies } = readJson(join(root, "package.json")) as { devDependencies: Record<string, string> };
    const wanted = ["@ai-sdk/provider", "@types/node", "typescript"].map(
      (name) => `${name}@${devDependencies[name] ?? ""}`,
    );
    // The AI SDK's own types miss it unless libraries are skipped.
    wanted.push("@types/json-schema@7");
    npm(["install", "--ignore-scripts", "--save-dev", ...wanted], consumer);
    return wanted.join(", ");
  });
  for (const resolution of ["nodenext", "bundler"]) {
    step(`a TypeScript consumer, ${resolution}`, () => {
      const compilerOptions = {
        strict: true,
        noEmit: true,
        target: "es2024",
        lib: ["es2024", "esnext.disposable"],
        module: resolution === "nodenext" ? "nodenext" : "preserve",
        moduleResolution: resolution,
        types: ["node"],
        skipLibCheck: false,
      };
      writeFileSync(join(consumer, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["consumer.ts"] }));
      execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "."], { cwd: consumer, stdio: "pipe" });
      return "type-checks, libraries included";
    });
  }
}

/** A Node of that major version from the registry, as a package whose scripts don't run. Gives its folder of programs. */
function installNode(version: string): string {
  const place = join(folder, `node-${version}`);
  const name = `node-${process.platform}-${process.arch}`;
  mkdirSync(place);
  writeFileSync(join(place, "package.json"), "{}");
  npm(["install", "--ignore-scripts", `${name}@${version}`], place);
  return join(place, "node_modules", name, "bin");
}

function checkOn(version: string, bin: string): void {
  const home = join(folder, `home-${version}`);
  const env = { PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}`, HOME: home, UNDERSTUDY_HOME: home };
  const run = (command: string, ...args: string[]): string =>
    execFileSync(command, args, { cwd: consumer, env, encoding: "utf8", stdio: "pipe", timeout: 120_000 });
  const node = join(bin, "node");
  mkdirSync(home);
  step(`Node ${version}: npx understudy demo`, () => {
    const [major] = run(node, "--version").trim().slice(1).split(".");
    expect(major === version, `this is Node ${major}`);
    const output = run("npx", "--no-install", "understudy", "demo");
    return output.trim().split("\n").at(-1) ?? "";
  });
  step(`Node ${version}: understudy --version`, () => {
    const { version: ours } = readJson(join(root, "package.json")) as { version: string };
    const said = run("npx", "--no-install", "understudy", "--version").trim();
    expect(said === ours, `${said} instead of ${ours}`);
    return said;
  });
  step(`Node ${version}: a JavaScript consumer`, () => {
    copyFileSync(join(root, "scripts/package-consumers/consumer.mjs"), join(consumer, "consumer.mjs"));
    const facts = JSON.parse(run(node, "consumer.mjs", home)) as unknown;
    const expected = {
      text: "The simulator heard: hello",
      servedBy: "openai",
      switched: true,
      refused: true,
      fetch: 200,
      gateway: 200,
      schema: "Configuration of Understudy",
    };
    expect(JSON.stringify(facts) === JSON.stringify(expected), JSON.stringify(facts));
    return "a turn, a refusal, fetch, a gateway";
  });
  step(`Node ${version}: understudy serve`, () => {
    copyFileSync(join(root, "scripts/package-consumers/serve.mjs"), join(consumer, "serve.mjs"));
    const facts = run(node, "serve.mjs").trim();
    expect(facts === '{"health":200,"withoutKey":401,"code":0,"odd":[]}', facts);
    return "it answers, asks for its key, ends when it is told, and V8 knows what it is told";
  });
  step(`Node ${version}: what index.js loads`, () => {
    writeFileSync(join(consumer, "loads.mjs"), loads);
    const files = JSON.parse(run(node, "loads.mjs")) as string[];
    const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
    expect(bytes <= limits.indexLoads, `${bytes} bytes, more than ${limits.indexLoads}`);
    return `${files.length} files, ${bytes} bytes`;
  });
}
