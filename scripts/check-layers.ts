/**
 * Fails on an import that points the wrong way. The folders of `src/` are layers: each may import from the folders
 * listed for it, and from itself. Node's own modules are only for the edges. Also fails on an import cycle.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const edges = ["transport", "platform", "stores", "simulator", "gateway", "cli", "demo"];

/** What a folder may import from. A file directly in `src/` is an export of the package and may import everything. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  core: [],
  failures: ["core"],
  oauth: ["core", "failures"],
  protocols: ["core", "failures"],
  credentials: ["core"],
  providers: ["core", "failures", "oauth", "credentials"],
  config: ["core", "failures", "providers"],
  turn: ["core", "failures", "protocols", "credentials", "providers", "config"],
  transport: ["core"],
  platform: ["core", "credentials"],
  stores: ["core", "credentials"],
  telemetry: ["core"],
  simulator: ["core"],
  gateway: [
    "core",
    "failures",
    "protocols",
    "credentials",
    "providers",
    "config",
    "turn",
    "platform",
    "stores",
    "telemetry",
    "",
  ],
  "ai-sdk": ["core", "protocols", "config", "turn", ""],
  demo: ["core", "config", "turn", "simulator", ""],
  cli: [
    "demo",
    "core",
    "failures",
    "oauth",
    "protocols",
    "credentials",
    "providers",
    "config",
    "turn",
    "platform",
    "simulator",
    "gateway",
    "telemetry",
    "",
  ],
};

const root = resolve(import.meta.dirname, "../src");
const imports = new Map<string, string[]>();
const problems: string[] = [];

for (const entry of readdirSync(root, { recursive: true, encoding: "utf8" })) {
  if (!entry.endsWith(".ts")) continue;
  const file = join(root, entry);
  const layer = layerOf(file);
  const targets: string[] = [];
  for (const match of readFileSync(file, "utf8").matchAll(/^(?:import|export)\s(?:[^"';]*?\sfrom\s)?"([^"]+)"/gm)) {
    const name = match[1] ?? "";
    if (name.startsWith("node:")) {
      if (layer !== "" && !edges.includes(layer))
        problems.push(`${entry} imports ${name}: only ${edges.join(", ")} may`);
      continue;
    }
    if (!name.startsWith(".")) continue;
    const target = resolve(dirname(file), name);
    targets.push(target);
    const to = layerOf(target);
    if (layer === "protocols" && to === layer && isSibling(file, target)) {
      problems.push(`${entry} imports ${relative(root, target)}: one protocol may not import another`);
    }
    if (layer === "" || to === layer) continue;
    if (!(allowed[layer] ?? []).includes(to)) {
      problems.push(`${entry} imports ${relative(root, target)}: ${layer} may not import ${to === "" ? "src/" : to}`);
    }
  }
  imports.set(file, targets);
}

problems.push(...cycles());
if (problems.length > 0) {
  console.error(problems.join("\n"));
  console.error(
    `\n${problems.length} wrong imports. The layers are in scripts/check-layers.ts and docs/architecture.md.`,
  );
  process.exit(1);
}
console.log(`${imports.size} files, every import points down, no cycle`);

function layerOf(file: string): string {
  const path = relative(root, file).split("/");
  return path.length > 1 ? (path[0] ?? "") : "";
}

/** True when both files are in a folder of `protocols/`, and not the same one. */
function isSibling(file: string, target: string): boolean {
  const [a, b] = [file, target].map((path) => relative(root, path).split("/"));
  return a?.length === 3 && b?.length === 3 && a[1] !== b[1];
}

/** Depth-first; a file seen again on the way down closes a cycle. */
function cycles(): string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, path: string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) {
      found.push(`cycle: ${[...path.slice(at), file].map((part) => relative(root, part)).join(" -> ")}`);
      return;
    }
    if (done.has(file)) return;
    for (const target of imports.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  return found;
}
