import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createGateway } from "../../src/gateway.ts";
import { openWorkspace } from "../../src/workspace.ts";
import { clientKey, openGatewayRig } from "./rig.ts";

const hello = { model: "openai/gpt-5.5", input: "hello", stream: true };

describe("closing", () => {
  it("says so to whoever asks, lets turns under way finish, and takes no new ones", async () => {
    await using rig = await openGatewayRig();
    const { openai } = rig.stage.simulator;
    openai.script("stall-mid-text");
    const running = rig.ask("/v1/responses", { body: hello });
    await openai.until(() => openai.held === 1);
    const closing = rig.gateway.close();
    expect((await rig.ask("/ready", { key: null })).status).toBe(503);
    expect((await rig.ask("/health", { key: null })).status).toBe(200);
    const refused = await rig.ask("/v1/responses", { body: hello });
    expect([refused.status, refused.headers["retry-after"]]).toEqual([503, "2"]);
    rig.stage.simulator.release();
    expect((await running).text).toContain("response.completed");
    await closing;
    await expect(rig.ask("/health")).rejects.toThrow("ECONNREFUSED");
  });

  it("does not wait longer than it may", async () => {
    await using rig = await openGatewayRig({ gateway: { limits: { drainMs: 30 } } });
    const { openai } = rig.stage.simulator;
    openai.script("stall-mid-text");
    const running = rig.ask("/v1/responses", { body: hello });
    await openai.until(() => openai.held === 1);
    await rig.gateway.close();
    const reply = await running.catch(() => null);
    expect(reply?.text ?? "").not.toContain("response.completed");
    await openai.until(() => openai.aborted === 1);
  });

  it("waits for nobody who has begun to ask and says no more", async () => {
    await using rig = await openGatewayRig({ gateway: { limits: { drainMs: 0 } } });
    const asking = await rig.dial();
    const head = `POST /v1/responses HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${clientKey}\r\n`;
    asking.socket.write(`${head}content-length: 1000\r\n\r\n{"model":`);
    await expect.poll(() => rig.gateway.openTurns).toBe(1);
    await rig.gateway.close();
    expect(rig.gateway.openTurns).toBe(0);
  });

  it("is done at once when nothing is under way, whatever connections are open", async () => {
    await using rig = await openGatewayRig();
    const idle = await rig.dial();
    await rig.gateway.close();
    await idle.until(() => idle.closed);
  });
});

describe("a configuration that changes", () => {
  it("counts from the next turn on; a broken one changes nothing and says so; logins count anyway", async () => {
    await using rig = await openGatewayRig();
    const { simulator, folder, config } = rig.stage;
    const file = join(folder, "config.yaml");
    const write = (routes: unknown): void => writeFileSync(file, JSON.stringify({ ...config, routes }));
    write({ first: ["local/qwen3"] });
    const workspace = await openWorkspace({ env: { UNDERSTUDY_HOME: folder }, store: rig.stage.workspace.store });
    const notices: string[] = [];
    let wake = (): void => {};
    const noticed = (): Promise<void> =>
      new Promise((resolve) => {
        wake = resolve;
      });
    const gateway = await createGateway({
      workspace,
      clientKey,
      port: 0,
      watchConfig: true,
      onNotice(line) {
        notices.push(line);
        wake();
      },
    });
    const ask = async (model: string): Promise<string> => {
      const response = await fetch(`${gateway.url}/v1/responses`, {
        method: "POST",
        headers: { authorization: `Bearer ${clientKey}` },
        body: JSON.stringify({ model, input: "hello" }),
      });
      await response.text();
      return response.headers.get("x-understudy-served-by") ?? String(response.status);
    };
    try {
      expect([await ask("first"), await ask("second")]).toEqual(["local/qwen3/l", "404"]);
      let said = noticed();
      write({ second: ["openai/gpt-5.5"] });
      await said;
      expect([await ask("first"), await ask("second")]).toEqual(["404", "openai/gpt-5.5/o"]);
      said = noticed();
      writeFileSync(file, "routes: [oops");
      await said;
      expect(notices.at(-1)).toContain("the one before stays in force");
      expect(await ask("second")).toBe("openai/gpt-5.5/o");
      const [key] = await workspace.store.listCredentials("openai");
      await workspace.store.updateCredential(key?.id ?? "", { label: "renamed" });
      expect(await ask("second")).toBe("openai/gpt-5.5/renamed");
      expect(simulator.unplanned).toEqual([]);
    } finally {
      await gateway.close();
      await workspace.close();
    }
  });
});
