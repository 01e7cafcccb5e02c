import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  backendNames,
  behaviours,
  faultNames,
  type BackendName,
  type FaultName,
  type Simulator,
  startSimulator,
} from "../../src/testing.ts";
import { type Caller, callersOf, now } from "./callers.ts";
import { eventsOf, type RawAnswer, sendBytes } from "./raw-client.ts";

let simulator: Simulator;
let callers: Record<BackendName, Caller>;

beforeEach(async () => {
  simulator = await startSimulator({ now: () => now });
  callers = callersOf(simulator);
});
afterEach(() => simulator.close());

const terminal: Record<BackendName, RegExp> = {
  openai: /response\.completed/,
  codex: /response\.completed/,
  messages: /message_stop/,
  chat: /\[DONE\]/,
};

/** Plays a fault once; `during` runs while the answer is held. */
async function playOn(
  name: BackendName,
  fault: FaultName,
  options: { stream?: boolean; during?: () => void } = {},
): Promise<RawAnswer> {
  const { backend } = callers[name];
  backend.script(fault);
  const answer = callers[name].call({ stream: options.stream ?? true });
  if (options.during !== undefined) {
    await backend.until(() => backend.held === 1);
    options.during();
    backend.release();
  }
  return answer;
}

/** What a good answer of a twin simulator looks like: the same ids, no fault. */
async function goodAnswer(
  name: BackendName,
  behaviour: "answer" | "tool-call" = "answer",
  stream = true,
): Promise<string> {
  await using twin = await startSimulator({ now: () => now });
  const caller = callersOf(twin)[name];
  caller.backend.script(behaviour);
  return (await caller.call({ stream })).text;
}

/** One check per staged fault, run for each backend with a stream. */
const checks: Partial<Record<FaultName, (name: BackendName) => Promise<void>>> = {
  "broken-json-200": async (name) => {
    const answer = await playOn(name, "broken-json-200");
    expect(answer).toMatchObject({ status: 200, ended: "whole" });
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.text).toMatch(/^\{/);
    expect(() => JSON.parse(answer.text) as unknown).toThrow(SyntaxError);
  },
  "json-instead-of-sse": async (name) => {
    const answer = await playOn(name, "json-instead-of-sse");
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(JSON.parse(answer.text)).toHaveProperty("model");
  },
  "html-200": async (name) => {
    const answer = await playOn(name, "html-200");
    expect(answer).toMatchObject({ status: 200, headers: { "content-type": "text/html" } });
    expect(answer.text).toMatch(/^<!doctype html>/);
  },
  "empty-stream": async (name) => {
    const answer = await playOn(name, "empty-stream");
    expect(answer).toMatchObject({ status: 200, text: "", ended: "whole" });
    expect(answer.headers["content-type"]).toMatch(/^text\/event-stream/);
  },
  "no-terminal": async (name) => {
    const atOnce = await playOn(name, "no-terminal");
    expect(atOnce.ended).toBe("whole");
    expect(atOnce.text).not.toBe("");
    expect(atOnce.text).not.toContain("simulator heard");
    callers[name].backend.script({ name: "no-terminal", after: "text" });
    const afterText = await callers[name].call();
    expect(afterText.ended).toBe("whole");
    expect(afterText.text).toContain("The simulator");
    expect(atOnce.text + afterText.text).not.toMatch(terminal[name]);
  },
  "no-done": async (name) => {
    const answer = await playOn(name, "no-done");
    expect(answer.ended).toBe("whole");
    expect(`${answer.text}data: [DONE]\n\n`).toBe(await goodAnswer(name));
  },
  "cut-before-headers": async (name) => {
    expect(await playOn(name, "cut-before-headers")).toMatchObject({ status: null, text: "", ended: "ECONNRESET" });
  },
  "cut-in-head": async (name) => {
    const caller = callers[name];
    caller.backend.script("cut-in-head");
    const { headers = {}, body } = caller.request();
    const text = JSON.stringify(body);
    const lines = Object.entries({
      ...headers,
      host: "x",
      "content-type": "application/json",
      "content-length": String(text.length),
    });
    const url = new URL(caller.url());
    const head = `POST ${url.pathname} HTTP/1.1\r\n${lines.map(([key, value]) => `${key}: ${value}\r\n`).join("")}\r\n`;
    const raw = await sendBytes(url.origin, head + text);
    expect(raw).toEqual({ text: "HTTP/1.1 200 OK\r\ncontent-type: text/event-str", ended: "closed" });
  },
  "cut-mid-text": async (name) => {
    const answer = await playOn(name, "cut-mid-text");
    expect(answer).toMatchObject({ status: 200, ended: "ECONNRESET" });
    expect(answer.text).toContain("The simulator");
    expect(answer.text).not.toMatch(terminal[name]);
    expect((await goodAnswer(name)).startsWith(answer.text)).toBe(true);
  },
  "cut-mid-tool-call": async (name) => {
    const answer = await playOn(name, "cut-mid-tool-call");
    expect(answer).toMatchObject({ status: 200, ended: "ECONNRESET" });
    expect(answer.text).toContain('"lookup"');
    expect(answer.text).toMatch(/\{\\"query/);
    expect((await goodAnswer(name, "tool-call")).startsWith(answer.text)).toBe(true);
  },
  reset: async (name) => {
    expect(await playOn(name, "reset")).toMatchObject({ status: null, ended: "ECONNRESET" });
    callers[name].backend.script({ name: "reset", after: "text" });
    const answer = await callers[name].call();
    expect(answer.ended).toBe("ECONNRESET");
  },
  "no-headers": async (name) => {
    expect(await playOn(name, "no-headers", { during: () => {} })).toMatchObject({ status: null, ended: "ECONNRESET" });
  },
  silence: async (name) => {
    expect(await playOn(name, "silence", { during: () => {} })).toMatchObject({
      status: 200,
      text: "",
      ended: "ECONNRESET",
    });
  },
  "slow-first-event": async (name) => {
    const answer = await playOn(name, "slow-first-event", { during: () => {} });
    expect(answer).toMatchObject({ ended: "whole", text: await goodAnswer(name) });
  },
  "stall-mid-text": async (name) => {
    const answer = await playOn(name, "stall-mid-text", { during: () => {} });
    expect(answer).toMatchObject({ ended: "whole", text: await goodAnswer(name) });
  },
  "keep-alive-only": async (name) => {
    const answer = await playOn(name, "keep-alive-only", { during: () => {} });
    const alive = eventsOf(answer.text).filter((event) => event.event === ":" || event.event === "ping");
    expect(alive.length).toBeGreaterThanOrEqual(3);
    expect(answer.text).toMatch(terminal[name]);
  },
  "malformed-event": async (name) => {
    const answer = await playOn(name, "malformed-event");
    expect(answer.ended).toBe("whole");
    const broken = eventsOf(answer.text).filter(
      (event) => event.raw !== "[DONE]" && Object.keys(event.data).length === 0,
    );
    expect(broken).toHaveLength(1);
    expect(answer.text.replace(/(event: [^\n]*\n)?data: [^\n]*(bro|text_de|"ind)\n\n/, "")).toBe(
      await goodAnswer(name),
    );
  },
  "unknown-event": async (name) => {
    const answer = await playOn(name, "unknown-event");
    expect(answer.text.slice(answer.text.indexOf("\n\n") + 2)).toBe(await goodAnswer(name));
    expect(answer.text.slice(0, answer.text.indexOf("\n\n"))).toContain("novelty");
  },
  "huge-event": async (name) => {
    const answer = await playOn(name, "huge-event");
    expect(answer.text.indexOf("\n\n")).toBeGreaterThan(17 * 1024 * 1024);
    expect(answer.text.slice(answer.text.indexOf("\n\n") + 2)).toBe(await goodAnswer(name));
  },
};

describe.each(backendNames)("the bytes of %s", (name) => {
  const staged = faultNames.filter((fault) => behaviours[fault].kind === "staged");

  it.each(staged)("%s goes wrong as documented", async (fault) => {
    const check = checks[fault];
    if (check === undefined) throw new Error(`${fault} has no check here`);
    if (!callers[name].backend.supports(fault)) {
      expect(fault).toBe("no-done");
      expect(() => callers[name].backend.script(fault)).toThrow(TypeError);
      return;
    }
    await check(name);
    expect(simulator.unplanned).toEqual([]);
  });
});

describe.each(backendNames.filter((name) => name !== "codex"))("a body of %s that is no stream", (name) => {
  it.each(["cut-mid-text", "cut-mid-tool-call"] as const)(
    "%s breaks off before its announced length",
    async (fault) => {
      const answer = await playOn(name, fault, { stream: false });
      expect(answer).toMatchObject({ status: 200, ended: "ECONNRESET" });
      expect(answer.text.length).toBeGreaterThan(0);
      expect(answer.text.length).toBeLessThan(Number(answer.headers["content-length"]));
    },
  );

  it.each(["slow-first-event", "stall-mid-text", "keep-alive-only"] as const)(
    "%s comes whole after the hold",
    async (fault) => {
      const answer = await playOn(name, fault, { stream: false, during: () => {} });
      expect(answer).toMatchObject({ ended: "whole", text: await goodAnswer(name, "answer", false) });
    },
  );

  it.each(["malformed-event", "unknown-event", "huge-event", "json-instead-of-sse"] as const)(
    "%s is the good answer",
    async (fault) => {
      const answer = await playOn(name, fault, { stream: false });
      expect(answer).toMatchObject({ ended: "whole", text: await goodAnswer(name, "answer", false) });
    },
  );

  it("no-terminal and empty-stream end cleanly with less than the whole", async () => {
    expect(await playOn(name, "empty-stream", { stream: false })).toMatchObject({ ended: "whole", text: "" });
    callers[name].backend.script({ name: "no-terminal", after: "text" });
    const answer = await callers[name].call({ stream: false });
    expect(answer.ended).toBe("whole");
    expect(() => JSON.parse(answer.text) as unknown).toThrow(SyntaxError);
  });
});

describe("a fault that waits until what came before it has arrived", () => {
  it.each([
    ["soft-quota", "whole"],
    ["cut-mid-text", "ECONNRESET"],
    ["no-terminal", "whole"],
  ] as const)("%s comes when it is released", async (fault, ended) => {
    const { backend } = callers.openai;
    backend.script({ name: fault, after: "text", pause: true });
    const pending = callers.openai.call();
    await backend.until(() => backend.held === 1);
    expect(backend.requests[0]?.ending).toBeNull();
    backend.release();
    expect(await pending).toMatchObject({
      status: 200,
      ended,
      text: expect.stringContaining("The simulator") as string,
    });
  });
});
