import { ChatBackend } from "./backends/chat.ts";
import { CodexBackend } from "./backends/codex.ts";
import { Elsewhere } from "./backends/elsewhere.ts";
import { MessagesBackend } from "./backends/messages.ts";
import { OpenAiBackend } from "./backends/openai.ts";
import { Ids } from "./ids.ts";
import { ScriptedIssuer } from "./issuer/scripted-issuer.ts";
import type { Chunk } from "./play.ts";
import type { RecordedRequest } from "./recorded-request.ts";
import type { Role, Stage } from "./role.ts";
import { SecretNames } from "./secret-names.ts";

export interface SimulatorOptions {
  /** Unix ms; default `Date.now`. */
  readonly now?: () => number;
  /** Another seed makes other ids, tokens and keys; the same makes the same. Default 1. */
  readonly seed?: number;
  /** Fixed ports, for a program that is configured by hand. Any free one otherwise. */
  readonly ports?: Partial<Readonly<Record<BackendName, number>>>;
  /** How all streams and bodies are split; default `event`. Each role's `chunk` can be changed later. */
  readonly chunk?: Chunk;
}

/** The model backends by name. */
export const backendNames = ["codex", "openai", "messages", "chat"] as const;
export type BackendName = (typeof backendNames)[number];

/**
 * Scripted providers on loopback, each with a port of its own: the issuer of Codex logins and four model backends. Nothing here
 * waits for a clock or throws a die, so what happens in a test is what its script says.
 */
export class Simulator implements AsyncDisposable {
  readonly codexIssuer: ScriptedIssuer;
  readonly codex: CodexBackend;
  readonly openai: OpenAiBackend;
  readonly messages: MessagesBackend;
  readonly chat: ChatBackend;
  /** Where redirect faults point. */
  readonly elsewhere: Elsewhere;
  readonly #secrets = new SecretNames();

  constructor(options: SimulatorOptions = {}) {
    let order = 0;
    const stage: Stage = {
      now: options.now ?? Date.now,
      ids: new Ids(options.seed ?? 1),
      secrets: this.#secrets,
      nextOrder: () => ++order,
      elsewhere: () => this.elsewhere.origin,
    };
    this.elsewhere = new Elsewhere(stage);
    this.codexIssuer = new ScriptedIssuer(stage);
    this.codex = new CodexBackend(stage, this.codexIssuer);
    this.openai = new OpenAiBackend(stage);
    this.messages = new MessagesBackend(stage);
    this.chat = new ChatBackend(stage);
    for (const role of this.#roles()) role.chunk = options.chunk ?? "event";
    for (const name of backendNames) this[name].port = options.ports?.[name] ?? 0;
  }

  /** What goes into a configuration as the issuer's and the providers' addresses. */
  get baseUrls(): Readonly<Record<"codexIssuer" | BackendName, string>> {
    return {
      codexIssuer: this.codexIssuer.origin,
      codex: this.codex.baseUrl,
      openai: this.openai.baseUrl,
      messages: this.messages.baseUrl,
      chat: this.chat.baseUrl,
    };
  }

  /** The same for a process that is configured by its environment. `chat` stands in for OpenRouter. */
  get env(): Readonly<Record<string, string>> {
    return {
      UNDERSTUDY_CODEX_ISSUER: this.baseUrls.codexIssuer,
      UNDERSTUDY_CODEX_BASE_URL: this.baseUrls.codex,
      OPENAI_BASE_URL: this.baseUrls.openai,
      ANTHROPIC_BASE_URL: this.baseUrls.messages,
      OPENROUTER_BASE_URL: this.baseUrls.chat,
    };
  }

  /** All requests of all roles in the order in which they arrived. */
  get requests(): RecordedRequest[] {
    return this.#roles()
      .flatMap((role) => role.requests)
      .sort((a, b) => a.order - b.order);
  }

  /** Requests for something that no role has, and everything that went to `elsewhere`. A good run has none. */
  get unplanned(): RecordedRequest[] {
    return [...this.#roles().flatMap((role) => role.unplanned), ...this.elsewhere.requests];
  }

  /** Every key, token and code there is, to look for where none may be. */
  get secrets(): string[] {
    return this.#secrets.values();
  }

  /** Lets everything that is held go on. */
  release(): void {
    for (const role of this.#roles()) role.release();
  }

  /** Ends all connections and frees all ports. Rejects if the simulator itself had an error. */
  async close(): Promise<void> {
    await Promise.all(this.#roles().map((role) => role.stop()));
    const bugs = this.#roles().flatMap((role) => role.bugs);
    if (bugs.length > 0) throw new AggregateError(bugs, "the simulator had errors of its own", { cause: bugs[0] });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Opens all ports. */
  async start(): Promise<void> {
    await Promise.all(this.#roles().map((role) => role.start()));
  }

  #roles(): Role[] {
    return [this.codexIssuer, this.codex, this.openai, this.messages, this.chat, this.elsewhere];
  }
}

/** A simulator with all its ports open. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = new Simulator(options);
  await simulator.start();
  return simulator;
}
