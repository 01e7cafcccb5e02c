import { mkdtempSync, rmSync } from "node:fs";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TurnEvent } from "../../src/core/events.ts";
import { Secret } from "../../src/core/secret.ts";
import { createGateway, type Gateway } from "../../src/gateway.ts";
import { backendNames, type BehaviourSpec, type Chunk, type Simulator, startSimulator } from "../../src/testing.ts";
import { openWorkspace, type Workspace } from "../../src/workspace.ts";
import { turnOfEventLoop, VirtualClock } from "../virtual-clock.ts";
import { backendOf, type Subject, subjects } from "./subjects.ts";

const clientKey = "uk-the-client-key-of-the-matrix";

/** In ms of the stage's own clock. */
export interface StageLimits {
  readonly firstEventMs: number;
  readonly idleMs: number;
}

export const cellLimits: StageLimits = { firstEventMs: 200, idleMs: 200 };

export interface MatrixStageOptions {
  /** How the providers split what they send. Default: event by event. */
  readonly chunk?: Chunk;
  /** Default: `cellLimits`. */
  readonly limits?: StageLimits;
}

/** One credential of a cell: what it is called, where it belongs, what it does when it is asked. */
export interface Player {
  readonly label: string;
  readonly provider: string;
  readonly behaviour: BehaviourSpec;
  /** How many requests the behaviour lasts for; for ever if missing. Then it answers with `text`. */
  readonly times?: number;
  readonly text: string;
}

/**
 * Scripted providers, an installation that uses them, and its gateway: real sockets on loopback, a real store, and a clock that
 * stands still. Nothing waits here. When a provider holds an answer back, the clock moves on by the limit that is waited for;
 * when a turn waits, by as much as it waits. So the same cell goes the same way on any machine.
 */
export class MatrixStage implements AsyncDisposable {
  readonly simulator: Simulator;
  readonly workspace: Workspace;
  readonly gateway: Gateway;
  readonly clock: VirtualClock;
  readonly agent = new Agent({ keepAlive: true });
  /** What is told of the turns since `begin`. */
  events: TurnEvent[] = [];
  /** What the gateway told its owner since `begin`. A good run tells nothing. */
  notices: string[] = [];
  /** How long an answer that is held stays silent, in ms of the stage's clock. For ever: until somebody gives up. */
  holdMs = Number.POSITIVE_INFINITY;
  readonly #folder: string;
  #secrets: string[] = [];
  #credentials: string[] = [];
  /** How many casts have been on: the simulator never forgets a name, so each cast has names of its own there. */
  #casts = 0;
  #closed = false;

  private constructor(
    parts: Pick<MatrixStage, "simulator" | "workspace" | "clock"> & { folder: string },
    gateway: Gateway,
  ) {
    this.simulator = parts.simulator;
    this.workspace = parts.workspace;
    this.clock = parts.clock;
    this.gateway = gateway;
    this.#folder = parts.folder;
    for (const name of backendNames) void this.#followHolds(name);
  }

  static async open(options: MatrixStageOptions = {}): Promise<MatrixStage> {
    const { chunk = "event", limits = cellLimits } = options;
    const clock = new VirtualClock();
    const simulator = await startSimulator({ now: () => clock.now(), chunk });
    const folder = mkdtempSync(join(tmpdir(), "understudy-matrix-"));
    const { baseUrls } = simulator;
    const workspace = await openWorkspace({
      env: { UNDERSTUDY_HOME: folder },
      clock,
      // A back-off takes no time.
      random: () => 0,
      config: {
        routes: Object.fromEntries(
          subjects.flatMap(({ id, targets }) => [
            [`${id}-1`, targets.slice(0, 1)],
            [`${id}-2`, targets.slice(0, 2)],
            [`${id}-3`, [...targets]],
          ]),
        ),
        providers: {
          codex: { baseUrl: baseUrls.codex, issuer: baseUrls.codexIssuer },
          openai: { baseUrl: baseUrls.openai },
          anthropic: { baseUrl: baseUrls.messages },
          local: { protocol: "chat-completions", baseUrl: baseUrls.chat, apiKeyEnv: "MATRIX_LOCAL_KEY" },
        },
        limits,
      },
    });
    let stage: MatrixStage | null = null;
    const gateway = await createGateway({
      workspace,
      clientKey,
      port: 0,
      onEvent: (event) => stage?.observe(event),
      onNotice: (line) => stage?.notices.push(line),
    });
    stage = new MatrixStage({ simulator, workspace, clock, folder }, gateway);
    return stage;
  }

  /** What the simulator calls a player of the cast that is on. */
  nameOf(label: string): string {
    return `${label}#${this.#casts}`;
  }

  /** Labels of who was asked for an answer since the request number `before`, in order, as the providers saw it. */
  askedSince(before: number): string[] {
    const calls = this.simulator.requests.slice(before).filter((request) => request.behaviour !== null);
    return calls.map(({ credential }) => credential?.split("#")[0] ?? "nobody");
  }

  /** Where and as whom a caller calls. */
  get door(): { url: string; key: string; agent: Agent } {
    return { url: this.gateway.url, key: clientKey, agent: this.agent };
  }

  /** Everything secret of the players now on stage, tokens that were refreshed meanwhile included. */
  async secrets(): Promise<string[]> {
    const credentials = await this.workspace.store.listCredentials();
    const tokens = credentials.flatMap((credential) =>
      credential.kind === "oauth"
        ? [credential.grant.accessToken, credential.grant.refreshToken].flatMap((token) => token?.reveal() ?? [])
        : [],
    );
    return [...this.#secrets, ...tokens];
  }

  /** Puts the players on, in this order in their pools. */
  async begin(players: readonly Player[]): Promise<void> {
    this.events = [];
    this.notices = [];
    this.#casts += 1;
    for (const player of players) await this.#enter(player);
  }

  /** Takes everybody off again: no credential, no cooldown, no script is left. */
  async end(): Promise<void> {
    const { store } = this.workspace;
    for (const name of backendNames) this.simulator[name].clearScript();
    for (const id of this.#credentials) await store.removeCredential(id);
    await store.clearCooldowns({});
    this.#credentials = [];
    this.#secrets = [];
    this.holdMs = Number.POSITIVE_INFINITY;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.simulator.release();
    this.agent.destroy();
    await this.gateway.close();
    await this.workspace.close();
    await this.simulator.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Notes an event, and lets the time pass that a turn is about to wait. */
  private observe(event: TurnEvent): void {
    this.events.push(event);
    if (event.type === "waiting") this.#pass(event.untilMs - event.at);
    if (event.type === "attempt-failed" && event.decision.action === "retry") this.#pass(event.decision.delayMs);
  }

  #pass(ms: number): void {
    if (ms > 0) setImmediate(() => void this.clock.advance(ms));
  }

  async #enter({ label, provider, behaviour, times, text }: Player): Promise<void> {
    const { store } = this.workspace;
    const backend = this.simulator[backendOf[provider] ?? "chat"];
    const name = this.nameOf(label);
    backend.setBehaviour(name, times === undefined ? behaviour : { name: "answer", text });
    if (times !== undefined) backend.script(behaviour, { for: name, times });
    const now = this.clock.now();
    if (provider === "codex") {
      const { codexIssuer } = this.simulator;
      const account = codexIssuer.addAccount({ email: `${label}@example.test`, name });
      const tokens = codexIssuer.issueTokens(account);
      const { credential } = await store.saveLogin({
        provider,
        label,
        account: { id: account.accountId, userId: account.userId, email: account.email, plan: account.plan },
        grant: {
          accessToken: new Secret(tokens.accessToken),
          refreshToken: new Secret(tokens.refreshToken),
          idToken: new Secret(tokens.idToken),
          expiresAt: now + 3_600_000,
          obtainedAt: now,
          issuer: codexIssuer.origin,
        },
        at: now,
      });
      this.#credentials.push(credential.id);
      this.#secrets.push(tokens.accessToken, tokens.refreshToken, tokens.idToken);
      return;
    }
    if (!("keys" in backend)) throw new Error(`${provider} takes no keys`);
    const key = backend.keys.add(name);
    const source = { from: "stored", secret: new Secret(key) } as const;
    this.#credentials.push((await store.addApiKey({ provider, label, source, at: now })).id);
    this.#secrets.push(key);
  }

  /** Moves the clock on, then lets the answer go on, whenever a provider holds one back and all that it said has arrived. */
  async #followHolds(name: (typeof backendNames)[number]): Promise<void> {
    const role = this.simulator[name];
    for (;;) {
      await role.until(() => role.held > 0 || this.#closed);
      if (this.#closed) return;
      await settle();
      const cast = this.#casts;
      const isHeld = (): boolean => role.held > 0 && cast === this.#casts;
      // From one who wakes to the next, so that whoever acts upon it has acted before time goes on.
      for (let left = Math.min(this.holdMs, longestHoldMs); left > 0 && isHeld(); ) {
        const step = Math.min(this.clock.nextWakeMs ?? left, left);
        await this.clock.advance(step);
        await settle(() => role.held === 0);
        left -= Math.max(step, 1);
      }
      if (isHeld()) role.release();
    }
  }
}

/** Nobody's patience is longer, in ms. What is still held then goes on, and the cell shows it. */
const longestHoldMs = 600_000;

/** Lets everything that is on its way over loopback arrive and be acted upon; no longer than until `done`. */
async function settle(done: () => boolean = () => false): Promise<void> {
  for (let turns = 0; turns < 20 && !done(); turns++) await turnOfEventLoop();
}

/** The route of a subject with so many of its targets. */
export function routeOf(subject: Subject, targets: 1 | 2 | 3): string {
  return `${subject.id}-${targets}`;
}
