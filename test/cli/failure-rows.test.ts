import { afterAll, describe, expect, it } from "vitest";
import { createGateway } from "../../src/gateway.ts";
import { openWorkspace } from "../../src/workspace.ts";
import { type CliStage, openCliStage } from "./rig.ts";

const stage: CliStage = await openCliStage();
const { simulator } = stage;
const env = { ANTHROPIC_API_KEY: simulator.messages.keys.add("ant"), LOCAL_KEY: simulator.chat.keys.add("local") };
stage.setEnv(env);
afterAll(() => stage[Symbol.asyncDispose]());

const config = `
routes:
  coding: [local/qwen3, anthropic/claude-sonnet-5]
providers:
  local: { protocol: chat-completions, baseUrl: "${simulator.baseUrls.chat}", apiKeyEnv: LOCAL_KEY, aliases: [mine] }
`;

const row = `
failures:
  - name: local-nonsense
    where: { provider: mine, phase: headers }
    match: { status: 400, type: invalid_request_error }
    reason: overloaded
    next: next_target
`;

describe("a row of a user's own", () => {
  it("changes what a turn does, in a running gateway as soon as the configuration is read again", async () => {
    stage.writeConfig(config);
    simulator.chat.setBehaviour("*", "invalid-request");
    const home = { UNDERSTUDY_HOME: stage.home, ...simulator.env, ...env };
    const workspace = await openWorkspace({ env: home });
    const clientKey = "uk-a-key-for-the-clients-of-a-test";
    const gateway = await createGateway({ workspace, clientKey, port: 0, onNotice: () => {} });
    try {
      const ask = () =>
        fetch(`${gateway.url}/v1/chat/completions`, {
          method: "POST",
          headers: { authorization: `Bearer ${clientKey}`, "content-type": "application/json" },
          body: JSON.stringify({ model: "coding", messages: [{ role: "user", content: "hello" }] }),
        });
      // The caller's own mistake would be one everywhere: nobody else is asked.
      expect((await ask()).status).toBe(400);
      stage.writeConfig(config + row);
      await gateway.reload();
      const answer = await ask();
      expect([answer.status, answer.headers.get("x-understudy-served-by")]).toEqual([
        200,
        "anthropic/claude-sonnet-5/$ANTHROPIC_API_KEY",
      ]);
      stage.writeConfig(`${config}${row.replace("400", "{}")}`);
      expect(await gateway.reload()).toBe(false);
      await workspace.store.clearCooldowns({});
      expect((await ask()).status).toBe(200);
    } finally {
      await gateway.close();
      await workspace.close();
    }
  });

  it("is named as theirs by why and by explain", async () => {
    stage.writeConfig(config + row);
    const why = await stage.run(["why"]);
    expect(why.stdout).toContain("decided by your row local-nonsense (failures: in the configuration)");
    const body = JSON.stringify({ error: { message: "no such thing", type: "invalid_request_error" } });
    const args = ["explain", "--provider", "mine", "--status", "400"];
    const mine = await stage.run(args, { input: body });
    expect(mine.stdout).toMatch(/^overloaded: /);
    expect(mine.stdout).toMatch(/what is done +the next target/);
    expect(mine.stdout).toMatch(/decided by +your row local-nonsense/);
    const other = await stage.run(["explain", "--provider", "openai", "--status", "400", "--json"], { input: body });
    expect(JSON.parse(other.stdout)).toMatchObject({ reason: "invalid_request" });
  });

  it("is checked with the rest, and a wrong one keeps nobody from explaining", async () => {
    stage.writeConfig(`${config}failures:\n  - { name: slow, match: { message: "(a+)+b" }, reason: sluggish }\n`);
    const check = await stage.run(["config", "check"]);
    expect(check).toMatchObject({ code: 2, stdout: "" });
    expect(check.stderr).toContain(
      'config.yaml:7:57: failures[0].reason: "sluggish"; expected one of relogin_required',
    );
    const explained = await stage.run(["explain", "--provider", "openai", "--status", "400", "--json"], {
      input: "{}",
    });
    expect(explained.code).toBe(0);
    expect(explained.stderr).toMatch(/^The configuration is wrong \(understudy config check\), so only/);
  });
});
