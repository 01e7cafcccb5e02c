import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Node's compile cache keeps what is compiled when a file is loaded: nothing of it has run by then, so nearly every function is compiled
 * again in each start. This keeps what was compiled by the end of a run, functions and all, for the one file that small commands run
 * through. It takes a third of what such a command takes beyond Node itself.
 *
 * What is kept is of one file as it is now, one command and one Node. V8 looks at its version, its flags and the length of the text
 * before it takes it, and else compiles as ever.
 */
export interface WarmCode {
  /** Where it is kept: a folder in which nobody but this user can write. */
  readonly folder: string;
  /** What is run: other commands need other functions. */
  readonly command: string;
  /** Recognises the file by its whole path. */
  readonly isKept: (path: string) => boolean;
}

/** Node's own method that makes a module of the text of a file. Not documented, and so old that much of npm hangs on it. */
const compileName = "_compile";
type Compile = (this: NodeJS.Module, text: string, path: string, ...more: readonly unknown[]) => unknown;

const before = "(function (exports, require, module, __filename, __dirname) {";

/** From now on the file is run from what was kept of it, and kept for the next time if nothing was. Call it before the file is loaded. */
export function useWarmCode(warm: WarmCode): void {
  const { Module, createRequire } = process.getBuiltinModule("node:module");
  const prototype = Module.prototype as unknown as Record<typeof compileName, Compile>;
  const compile = prototype[compileName];
  prototype[compileName] = function (text, path, ...more) {
    if (!warm.isKept(path)) return compile.call(this, text, path, ...more);
    prototype[compileName] = compile;
    const run = prepare(text, path, warm);
    return run.call(this.exports, this.exports, createRequire(path), this, path, dirname(path));
  };
}

type Run = (
  this: unknown,
  exports: unknown,
  require: unknown,
  module: unknown,
  file: string,
  folder: string,
) => unknown;

function prepare(text: string, path: string, warm: WarmCode): Run {
  const { Script, constants } = process.getBuiltinModule("node:vm");
  const kept = placeOf(path, warm);
  const cachedData = read(kept);
  const script = new Script(`${before}${text}\n})`, {
    filename: path,
    columnOffset: -before.length,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    ...(cachedData === null ? {} : { cachedData }),
  });
  if (cachedData === null || script.cachedDataRejected === true) {
    process.once("exit", () => keep(kept, warm.command, () => script.createCachedData()));
  }
  return script.runInThisContext() as Run;
}

/** Names the text by the file's own name, which a bundle gives it by its content, and by its size and time, for whoever mends it by hand. */
function placeOf(path: string, { folder, command }: WarmCode): string {
  const { size, mtimeMs } = statSync(path);
  const mark = [basename(path, ".js"), size, Math.round(mtimeMs)].join("-");
  return join(folder, `${process.version}-${process.arch}`, `${command}.${mark}`);
}

function read(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}

/** Best effort, and whole or not at all: V8 would run whatever it is given. */
function keep(path: string, command: string, compiled: () => Uint8Array): void {
  const aside = `${path}.${process.pid}`;
  const folder = dirname(path);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(folder)) if (name.startsWith(`${command}.`)) rmSync(join(folder, name));
    const descriptor = openSync(aside, "wx", 0o600);
    try {
      writeFileSync(descriptor, compiled());
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(aside, path);
  } catch {
    rmSync(aside, { force: true });
  }
}
