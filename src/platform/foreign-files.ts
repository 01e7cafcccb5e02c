import { readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { UnderstudyError } from "../core/error.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Tools whose credentials can be brought over. */
export const foreignTools = ["codex", "hermes", "opencode"] as const;
export type ForeignTool = (typeof foreignTools)[number];

/** Larger than any of these files, in bytes. */
const longestFile = 8 * 1024 * 1024;

/** The folder in which a tool keeps its credentials, as the tool itself finds it. `from` names another one, or the file itself. */
export async function foreignFolder(tool: ForeignTool, env: Environment, from?: string): Promise<string> {
  if (from === undefined) return usualFolder(tool, env);
  const path = resolve(from.startsWith("~/") ? join(home(env), from.slice(2)) : from);
  const kind = await stat(path).catch(() => null);
  if (kind === null) throw new UnderstudyError("usage", `there is nothing at ${path}`);
  return kind.isDirectory() ? path : join(path, "..");
}

function usualFolder(tool: ForeignTool, env: Environment): string {
  const set = (name: string): string | undefined => env[name]?.trim() || undefined;
  switch (tool) {
    case "codex":
      return set("CODEX_HOME") ?? join(home(env), ".codex");
    case "hermes":
      return set("HERMES_HOME") ?? join(home(env), ".hermes");
    case "opencode":
      return join(set("XDG_DATA_HOME") ?? join(home(env), ".local", "share"), "opencode");
  }
}

function home(env: Environment): string {
  return env["HOME"]?.trim() || homedir();
}

/** The text of another tool's file, opened for reading only; null when there is none. Throws `usage` when it can't be read. */
export async function readForeignFile(path: string): Promise<string | null> {
  try {
    const { size } = await stat(path);
    if (size > longestFile) throw new UnderstudyError("usage", `${path} is too large to be read (${size} bytes)`);
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof UnderstudyError) throw error;
    const code = error instanceof Error && "code" in error ? String(error.code) : "error";
    if (code === "ENOENT") return null;
    throw new UnderstudyError("usage", `${path} can't be read (${code})`, {}, { cause: error });
  }
}
