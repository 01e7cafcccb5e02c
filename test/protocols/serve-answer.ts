import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What the server says to the one POST it expects. */
export interface PlannedAnswer {
  readonly path: string;
  readonly contentType: "text/event-stream" | "application/json";
  readonly body: string;
  readonly status?: number;
}

/**
 * Runs `use` against a loopback server that gives the planned answer to one POST on the planned path. A stream is written
 * in pieces of 37 bytes. Rejects when another request came, or none.
 */
export async function withAnswer<T>(answer: PlannedAnswer, use: (origin: string) => Promise<T>): Promise<T> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    request.resume();
    request.on("end", () => {
      response.writeHead(answer.status ?? 200, { "content-type": answer.contentType });
      const bytes = new TextEncoder().encode(answer.body);
      for (let at = 0; at < bytes.length; at += 37) response.write(bytes.subarray(at, at + 37));
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const outcome = await Promise.allSettled([use(`http://127.0.0.1:${port}`)]);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  const planned = `POST ${answer.path}`;
  if (seen.length !== 1 || seen[0] !== planned) throw new Error(`expected one ${planned}, got: ${seen.join(", ")}`);
  if (outcome[0].status === "rejected") throw outcome[0].reason;
  return outcome[0].value;
}
