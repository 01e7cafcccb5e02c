import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resolveProtocol } from "../../src/providers/resolve.ts";
import { builtInProviders } from "../../src/providers/registry.ts";
import { type Simulator, startSimulator } from "../../src/simulator/simulator.ts";
import { createUnderstudy } from "../../src/understudy.ts";

let simulator: Simulator;
let folder: string;
beforeAll(async () => {
  simulator = await startSimulator();
  folder = mkdtempSync(join(tmpdir(), "understudy-providers-"));
});
afterAll(async () => {
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("every provider that a key reaches", () => {
  const keyed = builtInProviders.filter(({ signIn }) => signIn.kind === "api_key");

  it("there are at least 28 of them besides Codex", () => {
    expect(keyed.length).toBeGreaterThanOrEqual(28);
  });

  it.each(keyed.map((provider) => [provider.id, provider] as const))(
    "%s answers by configuration alone",
    async (id, provider) => {
      const backends = {
        responses: simulator.openai,
        "chat-completions": simulator.chat,
        messages: simulator.messages,
      };
      const model = "some-model";
      const backend = backends[resolveProtocol(provider, model, provider.baseUrl ?? "http://127.0.0.1/v1")];
      const key = `sk-test-${id}-0123456789`;
      backend.keys.add(id, key);
      const [variable] = provider.signIn.kind === "api_key" ? provider.signIn.env : [];
      const understudy = await createUnderstudy({
        store: join(folder, id, "store.db"),
        env: { UNDERSTUDY_HOME: join(folder, id), ...(variable === undefined ? {} : { [variable]: key }) },
        config: {
          providers: {
            [id]: { baseUrl: backend.baseUrl, protocol: resolveProtocol(provider, model, provider.baseUrl ?? "") },
          },
        },
      });
      // A server on one's own machine that asks for no key must get none.
      simulator.chat.requireKey = variable !== undefined;
      const answer = await understudy.turn("hello", { route: `${id}/${model}` }).answer;
      expect(answer).toMatchObject({ text: "The simulator heard: hello", servedBy: { provider: id, model } });
      expect(backend.requests.at(-1)).toMatchObject({ credential: variable === undefined ? "anonymous" : id });
      await understudy.close();
    },
  );
});
