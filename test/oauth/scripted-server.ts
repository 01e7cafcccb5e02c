import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One answer, in the order in which they are given. */
export interface Reply {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly text?: string;
  /**
   * `hang`: no answer at all. `drop`: the connection is closed before an answer. `cut`: headers and the text come, then the
   * connection breaks. `stall`: headers and the text come, then nothing more.
   */
  readonly fault?: "hang" | "drop" | "cut" | "stall";
}

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  /** The body's fields, whether it is a form or JSON. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * A sign-in server on loopback that answers what it is told, path by path. A request that was not planned is answered with
 * 599 and makes `close` reject, and so does a planned answer that nobody fetched.
 */
export class ScriptedServer {
  readonly requests: SeenRequest[] = [];
  readonly #server: Server;
  readonly #plans = new Map<string, Reply[]>();
  readonly #unplanned: string[] = [];

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<ScriptedServer> {
    const scripted = new ScriptedServer();
    await new Promise<void>((resolve) => scripted.#server.listen(0, "127.0.0.1", resolve));
    return scripted;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Adds answers for `path`, and gives its address. */
  plan(path: string, ...replies: Reply[]): string {
    this.#plans.set(path, [...(this.#plans.get(path) ?? []), ...replies]);
    return this.origin + path;
  }

  /** Requests to `path` so far. */
  seen(path: string): SeenRequest[] {
    return this.requests.filter((request) => request.path === path);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    if (this.#unplanned.length > 0) throw new Error(`unplanned requests: ${this.#unplanned.join(", ")}`);
    const left = [...this.#plans].filter(([, replies]) => replies.length > 0).map(([path]) => path);
    if (left.length > 0) throw new Error(`planned answers that nobody fetched: ${left.join(", ")}`);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const path = request.url ?? "";
    const isJson = request.headers["content-type"] === "application/json";
    const fields = (isJson ? JSON.parse(body) : Object.fromEntries(new URLSearchParams(body))) as SeenRequest["fields"];
    this.requests.push({ method: request.method ?? "", path, headers: request.headers, body, fields });
    const reply = this.#plans.get(path)?.shift();
    if (reply === undefined) {
      this.#unplanned.push(path);
      response.writeHead(599).end();
      return;
    }
    if (reply.fault === "hang") return;
    if (reply.fault === "drop") {
      request.socket.destroy();
      return;
    }
    const text = reply.text ?? (reply.json === undefined ? "" : JSON.stringify(reply.json));
    const type = reply.json === undefined ? {} : { "content-type": "application/json" };
    response.writeHead(reply.status ?? 200, { ...type, ...reply.headers });
    if (reply.fault === undefined) {
      response.end(text);
      return;
    }
    response.write(text);
    if (reply.fault === "cut") setImmediate(() => request.socket.destroy());
  }
}
