import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type GatewayRig, openGatewayRig } from "./rig.ts";

/** What the provider of these tests sends to the next request; then it closes the connection, in the middle of the body if `isCut`. */
let next: { events: readonly string[]; isCut: boolean } = { events: [], isCut: false };
const bodies: Record<string, unknown>[] = [];

const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  let text = "";
  request.on("data", (chunk: Buffer) => (text += chunk.toString()));
  request.on("end", () => {
    bodies.push(JSON.parse(text) as Record<string, unknown>);
    response.writeHead(200, { "content-type": "text/event-stream" });
    const { events, isCut } = next;
    response.write(events.map((event) => `data: ${event}\n\n`).join(""), () => {
      if (isCut) setImmediate(() => response.destroy());
      else response.end();
    });
  });
});

let rig: GatewayRig;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  rig = await openGatewayRig({
    providers: { many: { protocol: "chat-completions", baseUrl } },
    routes: {
      continued: { targets: ["many/m", "local/qwen3"], continue: "text" },
      translated: ["openai/gpt-5.5"],
      after: { targets: ["openai/gpt-5.5", "many/m"], continue: "text" },
    },
  });
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
  server.close();
  server.closeAllConnections();
});
beforeEach(async () => {
  bodies.length = 0;
  await rig.stage.workspace.store.clearCooldowns({});
});

const path = "/v1/chat/completions";
const ask = (model: string, more: object) => ({ model, messages: [{ role: "user", content: "hello" }], ...more });

function choice(index: number, content: string, finish_reason: string | null = null): string {
  return JSON.stringify({
    id: "c",
    object: "chat.completion.chunk",
    model: "m",
    choices: [{ index, delta: { content }, finish_reason }],
  });
}

const first = [choice(0, "one"), choice(0, "", "stop")];
const second = [choice(1, "two"), choice(1, "", "stop")];
const done = "[DONE]";

async function outcome(): Promise<string | undefined> {
  const [turn] = await rig.stage.workspace.store.listTurns(1);
  return turn?.outcome;
}

describe("a stream of several choices", () => {
  it.each([
    ["reset between two of them", { events: first, isCut: true }, 2, "cut"],
    ["ended between two of them", { events: first, isCut: false }, 2, "cut"],
    ["reset behind all of them", { events: [...first, ...second], isCut: true }, 2, "answered"],
    ["whole, but without its mark", { events: [...first, ...second], isCut: false }, 2, "answered"],
    ["of a server that gives one and says that this is all", { events: [...first, done], isCut: false }, 2, "answered"],
    ["of which one was asked for", { events: first, isCut: false }, 1, "answered"],
  ] as const)("that is %s", async (_, sent, n, expected) => {
    next = sent;
    const reply = await rig.ask(path, { body: ask("many/m", { n, stream: true }) });
    expect(reply.text.includes("the answer broke off")).toBe(expected === "cut");
    // Clients wait for the mark, whether the server sends it or not.
    expect(reply.text.split("data: [DONE]\n\n").length - 1).toBe(expected === "cut" ? 0 : 1);
    expect(await outcome()).toBe(expected);
    expect(bodies).toMatchObject([{ n }]);
  });

  it("is not gone on in by somebody who knows of one only", async () => {
    next = { events: [choice(0, "one")], isCut: true };
    const { requests } = rig.stage.simulator.chat;
    const reply = await rig.ask(path, { body: ask("continued", { n: 2, stream: true }) });
    expect(reply.text).toContain("the answer broke off");
    expect([await outcome(), requests]).toEqual(["cut", []]);
  });

  it("is one answer in another dialect, which says so, and of which one goes on", async () => {
    const { openai } = rig.stage.simulator;
    openai.script({ text: "one" });
    const reply = await rig.ask(path, { body: ask("translated", { n: 2, stream: false }) });
    expect(decodeURI(String(reply.headers["x-understudy-dropped"]))).toBe("n: one answer is given");
    expect(JSON.parse(reply.text).choices).toHaveLength(1);
    openai.script({ name: "cut-mid-text", text: "Here it comes, and there it goes. " });
    next = { events: [choice(0, "The end."), choice(0, "", "stop"), done], isCut: false };
    const goneOn = await rig.ask(path, { body: ask("after", { n: 2, stream: true }) });
    expect(goneOn.text).toContain("The end.");
    expect([await outcome(), bodies[0]?.["n"]]).toEqual(["answered", undefined]);
  });
});
