/**
 * Writes docs/api.txt: what the package exports, and every type that is part of it, so that a change of the surface shows in the diff.
 * `node scripts/write-api-report.ts` writes it; a test compares. The declarations are those that the compiler emits, without comments.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(import.meta.dirname, "..");

export const apiReportPath: string = resolve(root, "docs/api.txt");

/**
 * Handed in and out, but what is inside is nobody else's: an opened installation; and the schema, which config.schema.json shows better.
 */
const opaque: Readonly<Record<string, string>> = {
  Workspace: "interface Workspace { /* opaque */ }",
  configSchema: "const configSchema: z.ZodType; // config.schema.json",
};

/** A file of declarations, taken apart. */
interface DeclarationFile {
  /** By local name: the statement. */
  readonly declared: ReadonlyMap<string, string>;
  /** By local name: where it comes from, relative imports only. */
  readonly imported: ReadonlyMap<string, Origin>;
  /** By exported name: a name of this file or of another one. */
  readonly exported: ReadonlyMap<string, Origin>;
}

interface Origin {
  readonly file: string;
  readonly name: string;
}

/** The whole report. Runs the compiler, for about two seconds. */
export function renderApiReport(): string {
  const folder = mkdtempSync(join(tmpdir(), "understudy-api-"));
  try {
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const options = ["-p", join(root, "tsconfig.build.json"), "--emitDeclarationOnly", "--noCheck", "--outDir", folder];
    execFileSync(process.execPath, [tsc, ...options], { cwd: root, stdio: "pipe" });
    return render(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function render(folder: string): string {
  const files = new Map<string, DeclarationFile>();
  const read = (file: string): DeclarationFile => {
    const known = files.get(file) ?? takeApart(file);
    files.set(file, known);
    return known;
  };
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    exports: Record<string, string | { types: string }>;
  };
  const sections: string[] = [];
  const needed: Origin[] = [];
  for (const [door, target] of Object.entries(exports).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (typeof target === "string") continue;
    const entry = join(folder, target.types.replace("./dist/", ""));
    const names = [...read(entry).exported].sort(([a], [b]) => (a < b ? -1 : 1));
    needed.push(...names.map(([, origin]) => origin));
    const name = `understudy${door.slice(1)}`;
    sections.push([`# ${name}`, ...names.map(([exported]) => `  ${exported}`)].join("\n"));
  }
  const found = new Map<string, Map<string, string>>();
  for (let next = needed.pop(); next !== undefined; next = needed.pop()) {
    const { file, name } = resolveOrigin(next, read);
    const { declared, imported } = read(file);
    const statement = declared.has(name) ? (opaque[name] ?? declared.get(name)) : undefined;
    const at = relative(folder, file).replace(/\.d\.ts$/, "");
    const known = found.get(at) ?? new Map<string, string>();
    if (statement === undefined || known.has(name)) continue;
    found.set(at, known.set(name, statement));
    for (const word of new Set(statement.match(/[A-Za-z_$][\w$]*/g))) {
      const origin = declared.has(word) ? { file, name: word } : imported.get(word);
      if (origin !== undefined && !(origin.file === file && word === name)) needed.push(origin);
    }
  }
  for (const [at, statements] of [...found].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const texts = [...statements].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text);
    sections.push([`## ${at}`, "", ...texts].join("\n"));
  }
  return `${sections.join("\n\n")}\n`;
}

/** Follows a name through the files that only pass it on. */
function resolveOrigin(origin: Origin, read: (file: string) => DeclarationFile): Origin {
  const file = read(origin.file);
  if (file.declared.has(origin.name)) return origin;
  const next = file.exported.get(origin.name) ?? file.imported.get(origin.name);
  return next === undefined || (next.file === origin.file && next.name === origin.name)
    ? origin
    : resolveOrigin(next, read);
}

function takeApart(file: string): DeclarationFile {
  const declared = new Map<string, string>();
  const imported = new Map<string, Origin>();
  const exported = new Map<string, Origin>();
  for (const statement of statementsOf(readFileSync(file, "utf8"))) {
    const from = /\sfrom "(\.[^"]+)";$/.exec(statement)?.[1];
    const origin = from === undefined ? file : resolve(dirname(file), from.replace(/\.[jt]s$/, ".d.ts"));
    const list = /^(import|export)(?: type)? \{([^}]*)\}/.exec(statement);
    const star = /^import (?:type )?\* as (\w+)/.exec(statement);
    const declaration =
      /^(export )?(?:declare )?(?:abstract )?(?:interface|type|class|function|const|let|enum) ([\w$]+)/.exec(statement);
    if (list !== null && (from !== undefined || list[1] === "export")) {
      for (const item of list[2]?.split(",") ?? []) {
        const [name = "", alias = name] = item
          .trim()
          .replace(/^type /, "")
          .split(" as ");
        if (name !== "") (list[1] === "import" ? imported : exported).set(alias, { file: origin, name });
      }
    } else if (declaration !== null && star === null) {
      const [, isExported, name = ""] = declaration;
      const text = statement.replace(/^(?:export )?(?:declare )?/, "");
      declared.set(name, declared.has(name) ? `${declared.get(name) ?? ""}\n${text}` : text);
      if (isExported !== undefined) exported.set(name, { file, name });
    }
  }
  return { declared, imported, exported };
}

/** The statements at the top of a file of declarations, without comments. Each begins in the first column. */
function statementsOf(text: string): string[] {
  const bare = text.replaceAll(/^[ \t]*\/\*\*?[\s\S]*?\*\/[ \t]*\n/gm, "").replaceAll(/^[ \t]*\/\/.*\n/gm, "");
  const statements: string[] = [];
  for (const line of bare.split("\n")) {
    if (/^(?:export|import|declare|interface|type|const|class|abstract)\b/.test(line)) statements.push(line);
    else if (line.trim() !== "") statements.push(`${statements.pop() ?? ""}\n${line}`);
  }
  return statements;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  writeFileSync(apiReportPath, renderApiReport());
}
