import { type ChildProcess, execFile, execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Secret } from "../src/core/secret.ts";
import { openWorkspace, type Workspace } from "../src/workspace.ts";
import { firstLine, spawnPinned } from "./native.ts";
import type { Work } from "./works.ts";

/** Somebody between the load generator and the scripted provider; or nobody. */
export interface Target {
  readonly name: string;
  readonly port: number;
  readonly path: string;
  /** What a client sends to it besides the usual. */
  readonly headers: readonly string[];
  /** Null: nobody is between. */
  readonly pid: number | null;
  /** The name of a model as a client of this target says it. */
  modelName(name: string): string;
  /** True when the answer has to come through byte for byte. */
  readonly isExact: boolean;
  /** False for a work that it can't do. Missing: it does all. */
  does?(work: Work): boolean;
  stop(): Promise<void>;
}

/** Why a target is not measured. */
export class Absent extends Error {}

const path = "/v1/responses";
const clientKey = "uk-benchmark-client-key-0123456789";

export function directTarget(upstreamPort: number): Target {
  return {
    name: "direct",
    port: upstreamPort,
    path,
    headers: ["authorization: Bearer sk-bench-key-number-0"],
    pid: null,
    modelName: (name) => name,
    isExact: true,
    stop: () => Promise.resolve(),
  };
}

/** nginx as a plain proxy: checks the client's key, puts one of eight in its place, keeps connections, does not buffer answers. */
export async function startNginx(upstreamPort: number): Promise<Target> {
  const program = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/opt/homebrew/bin/nginx"].find(existsSync);
  if (program === undefined) throw new Absent("nginx is not installed (apt-get install nginx-light)");
  const folder = mkdtempSync(join(tmpdir(), "bench-nginx-"));
  const port = await freePort();
  const keys = Array.from({ length: 8 }, (_, i) => `    ${i === 7 ? "*" : "12.5%"} sk-bench-key-number-${i};`);
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; master_process off; worker_processes 1; pid ${folder}/pid; error_log stderr crit;
events { worker_connections 8192; }
http {
  access_log off; keepalive_timeout 300s; keepalive_requests 1000000000; tcp_nodelay on;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  client_max_body_size 64m; client_body_buffer_size 4m;
  split_clients "$request_id" $key {
${keys.join("\n")}
  }
  upstream provider { server 127.0.0.1:${upstreamPort}; keepalive 1024; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=2048;
    location / {
      if ($http_authorization != "Bearer ${clientKey}") { return 401; }
      proxy_pass http://provider; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Authorization "Bearer $key";
      proxy_buffering off; proxy_read_timeout 300s;
    }
  }
}
`,
  );
  const child = spawnPinned(program, ["-e", "stderr", "-p", folder, "-c", join(folder, "nginx.conf")], plainEnv());
  await untilOpen(port, child);
  return target("nginx", port, child, folder);
}

/** A naive gateway (see `naive.ts`), or what Node itself allows (see `bare.ts`). */
export async function startReference(name: "naive" | "bare", upstreamPort: number): Promise<Target> {
  const child = spawnPinned(
    process.execPath,
    [join(import.meta.dirname, `${name}.ts`), `${upstreamPort}`, clientKey],
    plainEnv(),
  );
  return target(name, Number(await firstLine(child)), child, null);
}

export interface UnderstudyTarget extends Target {
  /** Has the process write what it knows of itself (see `probe.cjs`), and reads it. */
  probe(): Promise<Probe>;
  /** Where it keeps its things, and all else that `openWorkspace` needs to look at them. */
  readonly env: NodeJS.ProcessEnv;
  /** What a command of the same program prints about this installation. Rejects with what it says when it ends with an error. */
  command(...args: readonly string[]): Promise<string>;
}

/** What the gateway's process tells of itself since it was asked last. Delays of its event loop in ms. */
export interface Probe {
  readonly loopP50Ms: number;
  readonly loopP99Ms: number;
  readonly loopMaxMs: number;
  readonly memory: NodeJS.MemoryUsage;
}

/** What a gateway of ours finds when it starts. */
export interface Installation {
  readonly config: object;
  /** Beside what this process has. */
  readonly env: Readonly<Record<string, string>>;
  /** Puts in its credentials. */
  fill(workspace: Workspace): Promise<void>;
}

interface UnderstudyOptions {
  readonly name?: string;
  readonly program: string;
  /** Of the provider that has all models but those of the crowd; 8. */
  readonly keys?: number;
  /** Models of a second provider, which has 400 keys: enough to be refused hundreds of times a second. */
  readonly crowd?: readonly string[];
  readonly nodeOptions?: readonly string[];
  readonly serveOptions?: readonly string[];
  /** A script and its arguments that serves this installation in the program's place, and says first where. */
  readonly serveInstead?: readonly string[];
  /** In place of eight keys at one provider, and a route per model. */
  readonly installation?: Installation;
}

/** Understudy's gateway as it is installed: `understudy serve` of the built package, eight keys, a route per model. */
export async function startUnderstudy(
  upstreamPort: number,
  models: readonly string[],
  options: UnderstudyOptions,
): Promise<UnderstudyTarget> {
  if (!existsSync(options.program)) throw new Absent(`${options.program} is missing: npm run build`);
  const folder = mkdtempSync(join(tmpdir(), "bench-understudy-"));
  const probeFile = join(folder, "probe.json");
  const installation = options.installation ?? plainInstallation(upstreamPort, models, options);
  const env = { ...plainEnv(), ...installation.env, UNDERSTUDY_HOME: folder, BENCH_PROBE_FILE: probeFile };
  const home = JSON.parse(
    execFileSync(process.execPath, [options.program, "config", "path", "--json"], { env, encoding: "utf8" }),
  ) as { configFile: string };
  writeFileSync(home.configFile, JSON.stringify(installation.config));
  const workspace = await openWorkspace({ env });
  await installation.fill(workspace);
  await workspace.close();
  const args = [
    "--require",
    join(import.meta.dirname, "probe.cjs"),
    ...(options.nodeOptions ?? []),
    ...(options.serveInstead ?? [options.program, "serve", "--port", "0", ...(options.serveOptions ?? [])]),
  ];
  const child = spawnPinned(process.execPath, args, env);
  const line = await firstLine(child);
  const url = /http:\/\/[\d.]+:\d+/.exec(line)?.[0];
  if (url === undefined) throw new Error(`the gateway does not say where it listens: ${line}`);
  const key = execFileSync(process.execPath, [options.program, "serve", "--print-key"], {
    env,
    encoding: "utf8",
  }).trim();
  const base = target(options.name ?? "understudy", Number(new URL(url).port), child, folder);
  return {
    ...base,
    headers: [`authorization: Bearer ${key}`],
    modelName: (name) => `r-${name}`,
    env,
    command: async (...commandArgs) =>
      (await promisify(execFile)(process.execPath, [options.program, ...commandArgs], { env })).stdout,
    async probe() {
      rmSync(probeFile, { force: true });
      child.kill("SIGUSR2");
      for (let tries = 0; tries < 200 && !existsSync(probeFile); tries++) await sleep(10);
      return JSON.parse(readFileSync(probeFile, "utf8")) as Probe;
    },
  };
}

/** The least that a whole answer takes (see `least.ts`), with the installation of a gateway. */
export async function startLeast(
  upstreamPort: number,
  models: readonly string[],
  options: Pick<UnderstudyOptions, "program" | "nodeOptions">,
): Promise<Target> {
  const serveInstead = [join(import.meta.dirname, "least.ts"), `${upstreamPort}`];
  const least = await startUnderstudy(upstreamPort, models, { ...options, name: "least", serveInstead });
  return { ...least, does: ({ deltas }) => deltas === 0 };
}

/** One provider and its keys, a route per model. */
function plainInstallation(
  upstreamPort: number,
  models: readonly string[],
  { keys = 8, crowd = [] }: Pick<UnderstudyOptions, "keys" | "crowd">,
): Installation {
  const provider = { protocol: "responses", baseUrl: `http://127.0.0.1:${upstreamPort}/v1` };
  const providerOf = (model: string): string => (crowd.includes(model) ? "crowd" : "bench");
  return {
    config: {
      providers: { bench: provider, ...(crowd.length === 0 ? {} : { crowd: provider }) },
      routes: Object.fromEntries(models.map((model) => [`r-${model}`, [`${providerOf(model)}/${model}`]])),
    },
    env: {},
    async fill(workspace) {
      await addKeys(workspace, "bench", keys);
      if (crowd.length > 0) await addKeys(workspace, "crowd", 400);
    },
  };
}

/** By the store: a command for each would take longer than the benchmark. */
export async function addKeys({ store }: Workspace, provider: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const source = { from: "stored", secret: new Secret(`sk-bench-key-number-${i}`) } as const;
    await store.addApiKey({ provider, label: `key-${i}`, source, at: Date.now() });
  }
}

/** A process that listens on this port; `folder` is removed with it. */
export function target(name: string, port: number, child: ChildProcess, folder: string | null): Target {
  // What a process says is nobody's concern, but a full pipe would stop it.
  child.stdout?.resume();
  child.stderr?.resume();
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    name,
    port,
    path,
    headers: [`authorization: Bearer ${clientKey}`],
    pid: child.pid ?? null,
    modelName: (model) => model,
    isExact: true,
    async stop() {
      child.kill("SIGTERM");
      const kill = setTimeout(() => child.kill("SIGKILL"), 3_000);
      await exited;
      clearTimeout(kill);
      if (folder !== null) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Without what slows down a start or changes Node on one machine alone. */
export function plainEnv(): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _, NODE_OPTIONS: __, ...env } = process.env;
  return env;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Throws with what the process said when nobody listens after `withinMs`. */
export async function untilOpen(port: number, child: ChildProcess, withinMs = 15_000): Promise<void> {
  const until = Date.now() + withinMs;
  let trouble = "";
  child.stderr?.on("data", (chunk: Buffer) => (trouble += chunk.toString()));
  while (Date.now() < until) {
    if (child.exitCode !== null) break;
    const answered = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
    if (answered) return;
    await sleep(50);
  }
  throw new Error(`nobody listens on ${port}: ${trouble.slice(0, 1_000)}`);
}
