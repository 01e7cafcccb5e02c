import { describe, expect, it } from "vitest";
import { createGateway } from "../../src/gateway.ts";
import type { Workspace } from "../../src/workspace.ts";
import { clientKey, dialects, type GatewayRig, openGatewayRig } from "./rig.ts";

type Runtime = Workspace["runtime"];

/** The workspace with a bug in it. */
function withBug(workspace: Workspace, bug: Partial<Runtime>): Workspace {
  const runtime = Object.create(workspace.runtime, Object.getOwnPropertyDescriptors(bug)) as Runtime;
  return Object.create(workspace, { runtime: { value: runtime } }) as Workspace;
}

/** Fails at the first event that says `word`. */
const failingAt = (word: string): Partial<Runtime> => ({
  onHeard(_, __, heard) {
    if ("text" in heard && heard.text.includes(word)) throw new TypeError("cannot read properties of undefined");
  },
});

async function askBroken(
  rig: GatewayRig,
  bug: Partial<Runtime>,
  path: string,
  body: unknown,
): Promise<{ status: number; text: string }> {
  const notices: string[] = [];
  const gateway = await createGateway({
    workspace: withBug(rig.stage.workspace, bug),
    clientKey,
    port: 0,
    limits: { keepAliveMs: 10 },
    onNotice: (line) => notices.push(line),
  });
  const headers = { authorization: `Bearer ${clientKey}`, "content-type": "application/json" };
  const reply = await fetch(`${gateway.url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await reply.text();
  await gateway.close();
  expect(notices.join()).toContain("an error of the gateway's own: cannot read properties of undefined");
  return { status: reply.status, text };
}

const errors = {
  responses: /event: error\ndata: .*\n\nevent: response.failed\n/,
  "chat-completions": /data: \{"error":/,
  messages: /event: error\ndata: \{"type":"error"/,
};
const ends = { responses: "response.completed", "chat-completions": "[DONE]", messages: "message_stop" };

describe.each(dialects)("a fault of the gateway's own in $name", ({ name, path, target, backend, ask }) => {
  it("after the head is told by the error event, and the stream ends as it should", async () => {
    await using rig = await openGatewayRig();
    // Another protocol than the caller's: what is only passed on is not looked at any more.
    const other = dialects.find((one) => one.name !== name) ?? dialects[0];
    const upstream = rig.stage.simulator[other.backend];
    upstream.setBehaviour("*", { name: "stall-mid-text", text: "One thing after the other, until the curtain falls." });
    void upstream.until(() => upstream.held > 0).then(() => setTimeout(() => upstream.release(), 30));
    const reply = await askBroken(rig, failingAt("curtain"), path, ask("hello", other.target, true));
    expect(reply.status).toBe(200);
    expect(reply.text).toContain("One thing");
    expect(reply.text).toMatch(errors[name]);
    expect(reply.text).toContain("an error of the gateway's own");
    expect(reply.text).not.toContain(ends[name]);
  });

  it("after a sign of life and before any content is told by the error event", async () => {
    await using rig = await openGatewayRig({
      routes: { show: [target, "codex/gpt-5.5"] },
      limits: { firstEventMs: 60 },
    });
    rig.stage.simulator[backend].setBehaviour("*", "silence");
    const { resolveEndpoint } = rig.stage.workspace.runtime;
    const bug: Partial<Runtime> = {
      resolveEndpoint(provider, model, secret) {
        if (provider.id === "codex") throw new TypeError("cannot read properties of undefined");
        return resolveEndpoint(provider, model, secret);
      },
    };
    const reply = await askBroken(rig, bug, path, ask("hello", "show", true));
    expect(reply.status).toBe(200);
    expect(reply.text).toMatch(errors[name]);
    expect(reply.text).not.toContain(ends[name]);
    // Without a stream the status is still free.
    const whole = await askBroken(rig, bug, path, ask("hello", "show", false));
    expect(whole.status).toBeGreaterThanOrEqual(400);
  });
});

describe.each(["committed", "turn-end"])("somebody who is told of `%s` and throws", (type) => {
  it.each([true, false])("leaves nothing open, and does not end the process; a stream: %s", async (stream) => {
    await using rig = await openGatewayRig({
      gateway: {
        onEvent(event) {
          if (event.type === type) throw new TypeError("cannot read properties of undefined");
        },
      },
    });
    const reply = await rig.ask("/v1/responses", { body: { model: "openai/gpt-5.5", input: "hello", stream } });
    expect(reply.status === 200).toBe(type === "turn-end");
    const { runtime, store } = rig.stage.workspace;
    const [key] = await store.listCredentials("openai");
    await expect.poll(() => [rig.gateway.openTurns, runtime.gauge?.openStreams]).toEqual([0, 0]);
    if (type === "committed") expect(runtime.load?.of(key?.id ?? "")).toBe(0);
    expect(rig.notices.join()).toContain("cannot read properties of undefined");
  });
});
