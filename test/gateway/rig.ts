import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { connect, type Socket } from "node:net";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import type { TurnEvent } from "../../src/core/events.ts";
import { createGateway, type Gateway, type GatewayOptions } from "../../src/gateway.ts";
import { openStage, type StageOptions, type TestStage } from "../rig/stage.ts";

export const clientKey = "uk-a-key-for-the-clients-of-a-test";

/** A stage with a gateway in front of it, on a free port. Two Codex logins and a key at every other provider. */
export class GatewayRig implements AsyncDisposable {
  readonly stage: TestStage;
  readonly gateway: Gateway;
  readonly notices: string[];
  readonly events: TurnEvent[];

  constructor(stage: TestStage, gateway: Gateway, notices: string[], events: TurnEvent[]) {
    this.stage = stage;
    this.gateway = gateway;
    this.notices = notices;
    this.events = events;
  }

  get openai(): OpenAI {
    return new OpenAI({ apiKey: clientKey, baseURL: `${this.gateway.url}/v1`, maxRetries: 0 });
  }

  get anthropic(): Anthropic {
    return new Anthropic({ apiKey: clientKey, baseURL: this.gateway.url, maxRetries: 0 });
  }

  /** One request over a connection of its own. */
  async ask(path: string, options: AskOptions = {}): Promise<Reply> {
    const { body } = options;
    const text = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        `${this.gateway.url}${path}`,
        {
          method: options.method ?? (body === undefined ? "GET" : "POST"),
          agent: false,
          headers: {
            ...(options.key === null ? {} : { authorization: `Bearer ${options.key ?? clientKey}` }),
            ...(body === undefined ? {} : { "content-type": "application/json" }),
            ...options.headers,
          },
          ...(options.signal === undefined ? {} : { signal: options.signal }),
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () => {
            const bytes = Buffer.concat(chunks);
            resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, text: bytes.toString() });
          });
        },
      );
      request.on("error", reject);
      request.end(text);
    });
  }

  /** A bare connection, for what no client would send. */
  async dial(): Promise<RawConnection> {
    const socket = connect(this.gateway.port, "127.0.0.1");
    await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return new RawConnection(socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stage.simulator.release();
    await this.gateway.close();
    await this.stage[Symbol.asyncDispose]();
  }
}

export interface AskOptions {
  readonly method?: string;
  /** An object is sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Null sends none. */
  readonly key?: string | null;
  readonly signal?: AbortSignal;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
}

/** A socket whose answers can be waited for. */
export class RawConnection {
  readonly socket: Socket;
  received = "";
  closed = false;
  readonly #watchers = new Set<() => void>();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.received += chunk.toString("latin1");
      for (const watch of this.#watchers) watch();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.closed = true;
      for (const watch of this.#watchers) watch();
    });
  }

  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const watch = (): void => {
        if (!condition()) return;
        this.#watchers.delete(watch);
        resolve();
      };
      this.#watchers.add(watch);
      watch();
    });
  }
}

export type RigOptions = StageOptions & { readonly gateway?: Partial<GatewayOptions> };

export async function openGatewayRig(options: RigOptions = {}): Promise<GatewayRig> {
  const stage = await openStage(options);
  await stage.addCodexLogin("ann");
  await stage.addCodexLogin("ben");
  await stage.addKey("openai", "o");
  await stage.addKey("anthropic", "k");
  await stage.addKey("local", "l");
  const notices: string[] = [];
  const events: TurnEvent[] = [];
  const gateway = await createGateway({
    workspace: stage.workspace,
    clientKey,
    port: 0,
    onNotice: (line) => notices.push(line),
    onEvent: (event) => events.push(event),
    ...options.gateway,
  });
  return new GatewayRig(stage, gateway, notices, events);
}

/** The three dialects with a backend of the simulator that speaks each, and how a plain prompt is written in it. */
export const dialects = [
  {
    name: "responses",
    path: "/v1/responses",
    target: "openai/gpt-5.5",
    backend: "openai",
    ask: (prompt: string, model: string, stream: boolean) => ({ model, stream, input: prompt }),
  },
  {
    name: "chat-completions",
    path: "/v1/chat/completions",
    target: "local/qwen3",
    backend: "chat",
    ask: (prompt: string, model: string, stream: boolean) => ({
      model,
      stream,
      messages: [{ role: "user", content: prompt }],
    }),
  },
  {
    name: "messages",
    path: "/v1/messages",
    target: "anthropic/claude-opus-4-8",
    backend: "messages",
    ask: (prompt: string, model: string, stream: boolean) => ({
      model,
      stream,
      max_tokens: 1_000,
      messages: [{ role: "user", content: prompt }],
    }),
  },
] as const;
export type DialectCase = (typeof dialects)[number];
