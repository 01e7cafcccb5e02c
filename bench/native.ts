import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** The core that everything which is measured runs on; the harness itself stays on the others. */
export const measuredCore = process.env["BENCH_CORE"] ?? "1";

/** Microseconds. */
export interface Distribution {
  readonly count: number;
  readonly mean?: number;
  readonly p50?: number;
  readonly p90?: number;
  readonly p99?: number;
  readonly max?: number;
}

/** What one run of the load generator measured. */
export interface LoadResult {
  readonly seconds: number;
  /** Answers, warm-up included. */
  readonly total: number;
  /** Answers within `seconds`. */
  readonly requests: number;
  /** Turns that failed, and those that could not even be sent. */
  readonly errors: number;
  /** By the clock: due, but never sent, since too many waited. */
  readonly unsent: number;
  /** By the clock: so many were due at one time while every connection was in use. */
  readonly mostWaiting: number;
  readonly aborts: number;
  /** Comments between the events of streams. */
  readonly comments: number;
  /** Answers in each second from the beginning on. */
  readonly perSecond: readonly number[];
  /** CPU that the load generator itself used, in ms. */
  readonly cpuMs: number;
  readonly bytes: number;
  readonly closedAtNs: number;
  readonly latencyUs: Distribution;
  readonly firstByteUs: Distribution;
  readonly eventDelayUs: Distribution;
  readonly firstError: string;
}

/** A turn that went wrong, as its client saw it. */
export interface SeenFailure {
  /** Its id; empty where no head of an answer came. */
  readonly turn: string;
  /** From its sending until it was known, in ms. */
  readonly afterMs: number;
  /** When it was due, in s from the beginning of the load. */
  readonly wasAt: number;
  readonly what: string;
  /** 0: no head came. */
  readonly status: number;
  /** Of the body, before what is wrong. */
  readonly bodyBytes: number;
  /** What came there, cut off. */
  readonly saw: string;
}

/** Compiles a program of `native/`, once per version of its source. Throws a sentence when there is no compiler. */
export function compile(name: "upstream" | "load"): string {
  const source = join(import.meta.dirname, "native", `${name}.c`);
  const hash = createHash("sha256").update(readFileSync(source)).digest("hex").slice(0, 12);
  const folder = join(tmpdir(), `understudy-bench-${process.getuid?.() ?? 0}`);
  const program = join(folder, `${name}-${hash}`);
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    execFileSync("cc", ["-O2", "-o", `${program}.new`, source], { stdio: ["ignore", "ignore", "pipe"] });
  } catch (error) {
    throw new Error("the benchmark needs a C compiler (cc) for its load generator: apt-get install gcc", {
      cause: error,
    });
  }
  renameSync(`${program}.new`, program);
  return program;
}

/** Starts `command` on the measured core. */
export function spawnPinned(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): ChildProcess {
  return spawn("taskset", ["-c", measuredCore, command, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
}

/** The first line that a process prints. Rejects with what it said when it ends before that. */
export function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let out = "";
    let trouble = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      if (trouble.length < 4_000) trouble += chunk.toString();
    });
    child.stdout?.on("data", (chunk: Buffer) => {
      if (out.includes("\n")) return;
      out += chunk.toString();
      const [line, rest] = out.split("\n");
      if (rest !== undefined) resolve(line ?? "");
    });
    child.once("exit", (code) => reject(new Error(`it ended with ${code}: ${trouble.trim()}`)));
    child.once("error", reject);
  });
}

/** What the provider counted; times in ns of CLOCK_MONOTONIC. */
export interface UpstreamStats {
  readonly requests: number;
  readonly aborted: number;
  readonly strange: number;
  readonly open: number;
  readonly answering: number;
  readonly lastAbortNs: number;
  readonly nowNs: number;
  readonly handOvers: number;
  readonly handOverP50Us: number;
  readonly handOverP99Us: number;
  /** Of the first 256 requests since the last `reset`: how many it were, */
  readonly lookedAt: number;
  /** how many different bodies they had (16 at most), the model's name left out, */
  readonly bodies: number;
  /** the hash of one of them, */
  readonly firstBody: string;
  /** with how many different keys they came (16 at most), and how many of them came with one of the gateway's own keys. */
  readonly keys: number;
  readonly keyed: number;
  /** By the name of each timed answer: how often each of its faults was given, in their order. */
  readonly dealt: Readonly<Record<string, readonly number[]>>;
}

export interface Upstream {
  readonly port: number;
  readonly pid: number;
  stats(): Promise<UpstreamStats>;
  reset(): Promise<void>;
  stop(): void;
}

export async function startUpstream(answersFile: string): Promise<Upstream> {
  const child = spawnPinned(compile("upstream"), ["0", answersFile]);
  const port = Number(await firstLine(child));
  const ask = async (path: string): Promise<UpstreamStats> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return (await response.json()) as UpstreamStats;
  };
  return {
    port,
    pid: child.pid ?? 0,
    stats: () => ask("/stats"),
    async reset() {
      await ask("/reset");
    },
    stop: () => void child.kill(),
  };
}

export interface LoadOptions {
  readonly port: number;
  readonly path: string;
  readonly headers: readonly string[];
  readonly body: string;
  /** File with the body that must come back, byte for byte; or a text that must stand in it. */
  readonly expect: string | { readonly marker: string };
  readonly connections: number;
  readonly ms: number;
  readonly warmMs: number;
  readonly rate?: number;
  readonly abortUs?: number;
  /** How long answers may still come after the time is over. Default 3,000. */
  readonly graceMs?: number;
  /** Told of each turn that fails, at once, up to the first 500. */
  readonly onFailure?: (failure: SeenFailure) => void;
}

/** Runs the load generator on the measured core. */
export function runLoad(options: LoadOptions): Promise<LoadResult> {
  const args = [
    "--port",
    `${options.port}`,
    "--path",
    options.path,
    "--body",
    options.body,
    ...(typeof options.expect === "string" ? ["--expect", options.expect] : ["--marker", options.expect.marker]),
    "--conns",
    `${options.connections}`,
    "--ms",
    `${options.ms}`,
    "--warm-ms",
    `${options.warmMs}`,
    ...options.headers.flatMap((header) => ["--header", header]),
    ...(options.rate === undefined ? [] : ["--rate", `${options.rate}`]),
    ...(options.graceMs === undefined ? [] : ["--grace-ms", `${options.graceMs}`]),
    ...(options.abortUs === undefined ? [] : ["--abort-us", `${options.abortUs}`]),
  ];
  return new Promise((resolve, reject) => {
    const told = { maxBuffer: 1 << 24 };
    const child = execFile("taskset", ["-c", measuredCore, compile("load"), ...args], told, (error, stdout, stderr) => {
      if (error !== null) reject(new Error(`the load generator failed: ${stderr.slice(0, 2_000) || error.message}`));
      else resolve(JSON.parse(stdout) as LoadResult);
    });
    const { onFailure } = options;
    if (onFailure === undefined || child.stderr === null) return;
    createInterface({ input: child.stderr }).on("line", (line) => {
      if (line.startsWith("{")) onFailure(JSON.parse(line) as SeenFailure);
    });
  });
}
