import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Store } from "../../src/credentials/store.ts";
import type { StrictIssuer } from "./issuers.ts";
import { Ledger } from "./ledger.ts";
import type { Line, Step, WorkerOrders } from "./protocol.ts";

/** A store that several processes share, and what can be done to it while they do. */
export interface Place {
  /** What the workers open. */
  readonly place: string;
  readonly env: Readonly<Record<string, string>>;
  /** For the person, who signs in anew. */
  readonly store: Store;
  /** Takes the server away and brings it back; absent for a file. */
  readonly restart?: () => Promise<void>;
  /** Cuts connections of processes to the server; absent for a file. */
  readonly cut?: () => Promise<void>;
}

export interface ArenaOptions {
  readonly processes: number;
  readonly logins: number;
  readonly claimMs: number;
}

const program = fileURLToPath(new URL("worker.ts", import.meta.url));

const compileCache = join(tmpdir(), "understudy-test-compile-cache");

/** A round in which nothing moves for so long has failed. */
const patienceMs = 120_000;

interface Worker {
  readonly name: string;
  readonly child: ChildProcess;
  readonly hit: Promise<Step>;
  readonly ready: Promise<unknown>;
}

/** Real processes on a shared store, against a strict issuer: a refresh token presented twice ends its whole login. */
export class Arena implements AsyncDisposable {
  readonly ledger: Ledger;
  readonly #options: ArenaOptions;
  readonly #place: Place;
  readonly #issuer: StrictIssuer;
  readonly #accounts = new Map<string, string>();
  readonly #workers: (Worker | null)[];
  /** Logins that have moved in this round. */
  readonly #moved = new Set<string>();
  #signIns: Promise<unknown> = Promise.resolve();
  #started = 0;
  #changed: () => void = () => {};

  private constructor(place: Place, issuer: StrictIssuer, options: ArenaOptions) {
    this.#options = options;
    this.ledger = new Ledger(options.claimMs);
    this.#place = place;
    this.#issuer = issuer;
    this.#workers = Array.from({ length: options.processes }, () => null);
  }

  static async open(place: Place, issuer: StrictIssuer, options: ArenaOptions): Promise<Arena> {
    const arena = new Arena(place, issuer, options);
    for (let n = 0; n < options.logins; n++) {
      const label = `login-${n}`;
      const { credential } = await place.store.saveLogin({ ...(await issuer.signIn(label)), label, at: 0 });
      arena.#accounts.set(credential.id, label);
    }
    await Promise.all(arena.#workers.map((_, slot) => arena.start(slot)));
    return arena;
  }

  /** Starts a worker in this slot. Half of the slots play another machine. */
  async start(slot: number, at?: WorkerOrders["at"]): Promise<Worker> {
    const orders: WorkerOrders = {
      place: this.#place.place,
      logins: [...this.#accounts.keys()],
      sameMachine: slot % 2 === 0 || this.#place.restart === undefined,
      refreshTimeoutMs: this.#options.claimMs - 3_000,
      claimMs: this.#options.claimMs,
      pauseMs: 250,
      ...(this.#issuer.oidc === undefined ? {} : { oidc: this.#issuer.oidc }),
      ...(at === undefined ? {} : { at }),
    };
    const name = `w${slot}.${++this.#started}`;
    const child = spawn(process.execPath, [program, JSON.stringify(orders)], {
      // Most of a start is stripping types: done once for all of them.
      env: { ...process.env, NODE_COMPILE_CACHE: compileCache, ...this.#place.env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let isHit: (step: Step) => void = () => {};
    const hit = new Promise<Step>((resolve) => (isHit = resolve));
    if (child.stdout === null) throw new Error("a worker has no output");
    const ready = once(child.stdout, "data");
    createInterface(child.stdout).on("line", (text) => {
      const line = JSON.parse(text) as Line;
      if (line.type === "hit") isHit(line.step);
      this.#note(name, line);
    });
    const worker = { name, child, hit, ready };
    this.#workers[slot] = worker;
    if ((await Promise.race([ready, once(child, "close").then(() => null)])) === null) {
      throw new Error(`${name} ended before it began`);
    }
    return worker;
  }

  #note(name: string, line: Line): void {
    this.ledger.note(name, line, (id) => this.#arrivedAt(id));
    if (line.type === "settled" && line.counted) this.#moved.add(line.id);
    if (line.type === "relogin") {
      const before = this.#signIns;
      this.#signIns = before.then(() => this.#signInAgain(line.id, line.generation, line.message));
    }
    this.#changed();
  }

  /** When the last refresh of this login reached the issuer, Unix ms. */
  #arrivedAt(id: string): number | undefined {
    const account = this.#accounts.get(id);
    return account === undefined ? undefined : this.#issuer.arrivedAt(account);
  }

  /** What a person does who reads that a login is lost. Each lost login is told by several processes. */
  async #signInAgain(id: string, generation: number, message: string): Promise<void> {
    for (;;) {
      try {
        const login = await this.#place.store.getCredential(id);
        const account = this.#accounts.get(id);
        if (login?.kind !== "oauth" || account === undefined || login.relogin?.generation !== login.grant.generation)
          return;
        const renewed = await this.#issuer.signIn(account);
        await this.#place.store.saveLogin({ ...renewed, label: account, replaces: id, at: 0 });
        this.ledger.loss(id, generation, login.relogin.message || message);
        this.#moved.add(id);
        return this.#changed();
      } catch {
        // The server is away: a person tries again.
        await sleep(50);
      }
    }
  }

  worker(slot: number): Worker {
    const worker = this.#workers[slot];
    if (worker == null) throw new Error(`no worker ${slot}`);
    return worker;
  }

  /** kill -9, and another one in its place. */
  async kill(slot: number, at?: WorkerOrders["at"]): Promise<Worker> {
    const { name, child } = this.worker(slot);
    this.ledger.mishap(name, "killed");
    const ended = hasEnded(child) ? null : once(child, "close");
    child.kill("SIGKILL");
    await ended;
    return this.start(slot, at);
  }

  /** In the place of a worker one that kills itself at this step; then another one. */
  async killAt(slot: number, step: Step, nth: number): Promise<void> {
    const { name, child, hit } = await this.kill(slot, { step, nth, signal: "SIGKILL" });
    this.ledger.mishap(name, "killed");
    await this.#orTooLong(hit, `nobody reached "${step}"`);
    if (!hasEnded(child)) await once(child, "close");
    await this.start(slot);
  }

  /** Stands still for `ms`, as a suspended machine does. */
  async freeze(slot: number, ms: number): Promise<void> {
    const { name, child } = this.worker(slot);
    if (ms >= this.#options.claimMs) this.ledger.mishap(name, "frozen past its claim");
    child.kill("SIGSTOP");
    await sleep(ms);
    child.kill("SIGCONT");
  }

  /** Takes the server away for a moment, or cuts connections to it. */
  async disturb(work: () => Promise<void>): Promise<void> {
    this.ledger.cut();
    await work();
    this.ledger.cut();
  }

  /** In the place of a worker one that stands still at this step for `ms`. */
  async freezeAt(slot: number, step: Step, nth: number, ms: number): Promise<void> {
    const { name, child, hit } = await this.kill(slot, { step, nth, signal: "SIGSTOP" });
    if (ms >= this.#options.claimMs) this.ledger.mishap(name, "frozen past its claim");
    await this.#orTooLong(hit, `nobody reached "${step}"`);
    // It has said so, and is about to stand still: woken too early it would sleep for ever.
    while (!(await standsStill(child))) await sleep(5);
    await sleep(ms);
    child.kill("SIGCONT");
  }

  /** Resolves when every login was refreshed, or signed in anew, since the last call. */
  async everyoneMoves(): Promise<void> {
    this.#moved.clear();
    const all = (async () => {
      while (this.#moved.size < this.#accounts.size) {
        await new Promise<void>((resolve) => {
          this.#changed = resolve;
        });
      }
    })();
    await this.#orTooLong(all, "a login was not refreshed");
  }

  async #orTooLong<T>(work: Promise<T>, what: string): Promise<T> {
    const done = new AbortController();
    const late = sleep(patienceMs, null, { signal: done.signal }).then(() => {
      throw new Error(`${what} within ${patienceMs} ms`);
    });
    late.catch(() => {});
    try {
      return await Promise.race([work, late]);
    } finally {
      done.abort();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.#workers) {
      if (worker === null || hasEnded(worker.child)) continue;
      const ended = once(worker.child, "close");
      worker.child.kill("SIGKILL");
      await ended;
    }
    await this.#signIns;
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** True when a signal has stopped the process. */
async function standsStill({ pid }: ChildProcess): Promise<boolean> {
  const { stdout } = await promisify(execFile)("ps", ["-o", "state=", "-p", String(pid)]);
  return stdout.trim().startsWith("T");
}
