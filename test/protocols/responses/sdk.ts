import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import OpenAI from "openai";

/** Runs the official client against a server on this machine that answers each request with `reply`. */
export async function withClient<T>(
  reply: { readonly type: string; readonly body: string; readonly status?: number },
  run: (client: OpenAI) => Promise<T>,
): Promise<T> {
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      response.writeHead(reply.status ?? 200, { "content-type": reply.type }).end(reply.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await run(new OpenAI({ apiKey: "key", baseURL: `http://127.0.0.1:${port}/v1`, maxRetries: 0 }));
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
