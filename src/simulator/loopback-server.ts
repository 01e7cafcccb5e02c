import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/**
 * A server on 127.0.0.1 that can be killed and brought back on the same port. `stop` is what a crash looks like from
 * outside: the port refuses, open connections are gone.
 */
export class LoopbackServer {
  readonly #handler: (request: IncomingMessage, response: ServerResponse) => void;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #port = 0;

  constructor(handler: (request: IncomingMessage, response: ServerResponse) => void) {
    this.#handler = handler;
  }

  /** The port to open; 0 for any that is free. Before the first `start`. */
  set port(port: number) {
    this.#port = port;
  }

  /** `http://127.0.0.1:PORT`. Known once started, and the same after a restart. */
  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get running(): boolean {
    return this.#server !== null;
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#sockets.size;
  }

  async start(): Promise<void> {
    if (this.#server !== null) return;
    const server = createServer(this.#handler);
    this.#server = server;
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
