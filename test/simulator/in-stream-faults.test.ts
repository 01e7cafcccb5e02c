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
import { eventsOf } from "./raw-client.ts";

let simulator: Simulator;
let callers: Record<BackendName, Caller>;

beforeEach(async () => {
  simulator = await startSimulator({ now: () => now });
  callers = callersOf(simulator);
});
afterEach(() => simulator.close());

/** The last event, as a client reads it. */
type Last = { readonly event: string | null; readonly data: object };

const failed = (code: string, more: object = {}): Last => ({
  event: "response.failed",
  data: {
    type: "response.failed",
    response: { status: "failed", output: [], error: { code, message: expect.any(String), ...more } },
  },
});

const responses: Partial<Record<FaultName, Last>> = {
  "soft-quota": failed("insufficient_quota"),
  "soft-burst-limit": failed("rate_limit_exceeded", { message: expect.stringContaining("Please try again in 2s") }),
  "overloaded-in-stream": failed("server_is_overloaded"),
  "soft-failed": failed("server_error"),
  "soft-failed-without-status": {
    event: "response.failed",
    data: {
      response: expect.toSatisfy(
        (response: { error: { code: string } }) => !("status" in response) && response.error.code === "server_error",
      ),
    },
  },
  "soft-cancelled": { event: "response.cancelled", data: { response: { status: "cancelled", error: null } } },
  "soft-context-overflow": failed("context_length_exceeded"),
  "soft-content-policy": failed("invalid_prompt"),
  "error-event": {
    event: "error",
    data: { type: "error", code: "server_error", message: expect.any(String), param: null },
  },
};

const anthropic = (type: string): Last => ({
  event: "error",
  data: { type: "error", error: { type, message: expect.any(String) } },
});

const chat = (code: string | null): Last => ({
  event: null,
  data: { error: { message: expect.any(String), type: expect.any(String), param: null, code } },
});

const expected: Record<BackendName, Partial<Record<FaultName, Last>>> = {
  openai: responses,
  codex: {
    ...responses,
    "soft-quota": failed("usage_limit_reached", { resets_at: now / 1_000 + 3_600, plan_type: "plus" }),
  },
  messages: {
    "soft-quota": anthropic("rate_limit_error"),
    "soft-burst-limit": anthropic("rate_limit_error"),
    "overloaded-in-stream": anthropic("overloaded_error"),
    "soft-failed": anthropic("api_error"),
    "soft-context-overflow": anthropic("invalid_request_error"),
    "soft-content-policy": { event: "message_stop", data: {} },
    "error-event": anthropic("api_error"),
  },
  chat: {
    "soft-quota": chat("insufficient_quota"),
    "soft-burst-limit": chat("rate_limit_exceeded"),
    "overloaded-in-stream": chat(null),
    "soft-failed": chat(null),
    "soft-context-overflow": chat("context_length_exceeded"),
    "soft-content-policy": { event: null, data: {} },
    "error-event": chat(null),
  },
};

/** What comes before a failure at once: the frame and nothing of an answer. */
const frame: Record<BackendName, string> = {
  openai: "response.created response.in_progress",
  codex: "response.created response.in_progress codex.rate_limits",
  messages: "message_start",
  chat: "chat.completion.chunk",
};

const hasContent: Record<BackendName, RegExp> = {
  openai: /output_text\.delta/,
  codex: /output_text\.delta/,
  messages: /text_delta/,
  chat: /"delta":\{"content":"./,
};

describe.each(backendNames)("a failure inside a 200 of %s", (name) => {
  const inStream = faultNames.filter((fault) => behaviours[fault].kind === "in-stream");
  const rows = inStream.filter((fault) => expected[name][fault] !== undefined);

  it("is in this table exactly if the backend has it", () => {
    expect(inStream.filter((fault) => callers[name].backend.supports(fault))).toEqual(rows);
  });

  it.each(rows)("%s comes last, at once or after a part of the answer", async (fault) => {
    const caller = callers[name];
    for (const after of ["at-once", "reasoning", "text", "tool-call", "end"] as const) {
      caller.backend.script({ name: fault, after });
      const answer = await caller.call();
      expect(answer).toMatchObject({ status: 200, ended: "whole" });
      const events = eventsOf(answer.text);
      const last = events.filter((event) => event.raw !== "[DONE]").at(-1);
      const { response = {} } = (expected[name][fault]?.data ?? {}) as { response?: { output?: unknown } };
      const { output, ...wanted } = response;
      if (after === "at-once" || output === undefined) expect(last).toMatchObject(expected[name][fault] ?? {});
      else expect(last).toMatchObject({ event: expected[name][fault]?.event, data: { response: wanted } });
      expect(hasContent[name].test(answer.text)).toBe(after === "text" || after === "end");
      const isStopReason = fault === "soft-content-policy" && (name === "messages" || name === "chat");
      if (after === "at-once" && !isStopReason) {
        const before = events.slice(0, -1).map((event) => event.event ?? String(event.data.object));
        expect(before.join(" ")).toBe(frame[name]);
      }
    }
  });

  it("counts its events on, so that a failure has the next number", async () => {
    if (name !== "codex" && name !== "openai") return;
    callers[name].backend.script({ name: "soft-quota", after: "text" });
    const numbers = eventsOf((await callers[name].call()).text)
      .filter((event) => event.event !== "codex.rate_limits")
      .map((event) => event.data.sequence_number);
    expect(numbers).toEqual(numbers.map((_, index) => index));
  });
});

describe("a failure for a request that is no stream", () => {
  it.each(faultNames.filter((fault) => behaviours[fault].kind === "in-stream" && fault !== "error-event"))(
    "%s is a failed response inside a 200",
    async (fault) => {
      callers.openai.backend.script({ name: fault, after: "text" });
      const answer = await callers.openai.call({ stream: false });
      expect(answer.status).toBe(200);
      const body = JSON.parse(answer.text) as { status?: string; output: { content: { text: string }[] }[] };
      expect(body).toMatchObject({ object: "response" });
      expect(body.status).toBe(
        fault === "soft-cancelled" ? "cancelled" : fault === "soft-failed-without-status" ? undefined : "failed",
      );
      expect(body.output[0]?.content[0]?.text).toMatch(/^The simulator/);
      expect(body.output[0]?.content[0]?.text).not.toMatch(/audience$/);
    },
  );

  it.each([
    ["openai", "error-event", 500],
    ["messages", "soft-quota", 429],
    ["messages", "overloaded-in-stream", 529],
    ["messages", "soft-failed", 500],
    ["chat", "soft-burst-limit", 429],
    ["chat", "overloaded-in-stream", 503],
    ["chat", "soft-context-overflow", 400],
  ] as const)("%s answers %s with status %i", async (name, fault, status) => {
    callers[name].backend.script(fault);
    expect((await callers[name].call({ stream: false })).status).toBe(status);
  });

  it("a filtered answer is a stop reason, not an error", async () => {
    callers.messages.backend.script("soft-content-policy", { times: 2 });
    callers.chat.backend.script("soft-content-policy", { times: 2 });
    expect(JSON.parse((await callers.messages.call({ stream: false })).text)).toMatchObject({ stop_reason: "refusal" });
    expect((await callers.messages.call()).text).toContain('"stop_reason":"refusal"');
    expect(JSON.parse((await callers.chat.call({ stream: false })).text)).toMatchObject({
      choices: [{ finish_reason: "content_filter" }],
    });
    expect((await callers.chat.call()).text).toContain('"finish_reason":"content_filter"');
  });
});
