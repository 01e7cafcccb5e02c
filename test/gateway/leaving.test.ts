import { request } from "node:http";
import { describe, expect, it } from "vitest";
import { clientKey, dialects, type GatewayRig, openGatewayRig } from "./rig.ts";

function begin(
  rig: GatewayRig,
  path: string,
  body: unknown,
): { leave: () => void; answered: Promise<void>; gone: Promise<void> } {
  const call = request(`${rig.gateway.url}${path}`, {
    method: "POST",
    agent: false,
    headers: { authorization: `Bearer ${clientKey}`, "content-type": "application/json" },
  });
  const gone = new Promise<void>((resolve) => call.on("close", resolve));
  const answered = new Promise<void>((resolve) => {
    call.on("response", (response) => response.once("data", () => resolve()).on("error", () => {}));
  });
  call.on("error", () => {});
  call.end(JSON.stringify(body));
  return { leave: () => call.destroy(), answered, gone };
}

describe("a client that leaves", () => {
  it.each(dialects)("takes its upstream call with it, in $name", async ({ path, target, backend, ask }) => {
    await using rig = await openGatewayRig();
    const upstream = rig.stage.simulator[backend];
    for (const fault of ["no-headers", "silence", "stall-mid-text"] as const) {
      upstream.script(fault);
      const before = upstream.aborted;
      const call = begin(rig, path, ask("hello", target, true));
      await upstream.until(() => upstream.held === 1);
      if (fault === "stall-mid-text") await call.answered;
      call.leave();
      await upstream.until(() => upstream.aborted === before + 1);
    }
    expect((await rig.stage.workspace.store.listTurns(3)).map(({ outcome }) => outcome)).toEqual(
      Array(3).fill("cancelled"),
    );
    expect(await rig.stage.workspace.store.listCooldowns()).toEqual([]);
  });

  it("256 times leaves no socket behind and no turn open", async () => {
    await using rig = await openGatewayRig();
    const { openai } = rig.stage.simulator;
    openai.setBehaviour("*", "stall-mid-text");
    const body = { model: "openai/gpt-5.5", input: "hello", stream: true };
    for (let round = 1; round <= 4; round += 1) {
      const calls = Array.from({ length: 64 }, () => begin(rig, "/v1/responses", body));
      await openai.until(() => openai.held === 64);
      for (const { leave } of calls) leave();
      await Promise.all(calls.map(({ gone }) => gone));
      await openai.until(() => openai.aborted === 64 * round);
    }
    await openai.until(() => openai.connections === 0);
    while (rig.gateway.openTurns > 0) await new Promise((resolve) => setImmediate(resolve));
    openai.clearScript();
    expect((await rig.ask("/v1/responses", { body })).text).toContain("response.completed");
  });
});
