import { connect, createServer, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/**
 * A wire between a store and its server that can fail as networks do. `open`: carries. `silent`: takes everything and carries nothing,
 * and nobody is told. `deaf`: carries to the server, and no answer comes back.
 */
export class Wire {
  mode: "open" | "silent" | "deaf" = "open";
  /** Connections that were begun. */
  connections = 0;
  /** Bytes that an answer lost on a deaf wire. */
  lost = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  readonly #target: URL;

  constructor(target: string) {
    this.#target = new URL(target);
    this.#server = createServer((near) => this.#carry(near));
  }

  /** The address of the store over this wire. */
  get address(): string {
    const address = this.#server.address();
    if (typeof address !== "object" || address === null) throw new Error("the wire is not there");
    const over = new URL(this.#target);
    over.port = String(address.port);
    return over.href;
  }

  #carry(near: Socket): void {
    this.connections++;
    const far = connect(Number(this.#target.port), this.#target.hostname);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("data", (bytes) => {
        if (this.mode === "open" || (this.mode === "deaf" && socket === near)) other.write(bytes);
        else if (socket === far) this.lost += bytes.length;
      });
      socket.on("close", () => {
        this.#sockets.delete(socket);
        if (this.mode === "open") other.destroy();
      });
    }
  }

  /** Cuts all connections, so that both ends notice. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  close(): Promise<void> {
    this.cut();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

/** A wire to the server of this address until the end of the test. */
export async function wireTo(address: string): Promise<Wire> {
  const wire = new Wire(address);
  await wire.listen();
  onTestFinished(() => wire.close());
  return wire;
}
