import * as api from "@opentelemetry/api";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { afterEach, describe, expect, it } from "vitest";
import { startTraceExport, tracePackages } from "../../src/telemetry/otlp.ts";
import { createTurnTracing, parseTraceparent } from "../../src/telemetry/turn-spans.ts";
import { openGatewayRig } from "../gateway/rig.ts";

const memory = new InMemorySpanExporter();

/** What an application does once. */
function register(): void {
  api.trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(memory)] }));
}

// Other tests of this process must not be traced.
afterEach(() => {
  api.trace.disable();
  memory.reset();
});

function find(name: string): ReadableSpan[] {
  return memory.getFinishedSpans().filter((span) => span.name === name);
}

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;

describe("spans of a turn", () => {
  it("are one for the turn in the client's trace and one per attempt, after the conventions for generative AI", async () => {
    register();
    await using rig = await openGatewayRig();
    rig.stage.simulator.codex.setBehaviour("ann", "quota-exhausted");
    const body = { model: "coding", input: "a private question", stream: true };
    const reply = await rig.ask("/v1/responses", { body, headers: { traceparent } });
    expect(reply.status).toBe(200);

    const [turn] = find("turn coding");
    expect(turn?.spanContext().traceId).toBe(traceId);
    expect(turn?.parentSpanContext?.spanId).toBe("00f067aa0ba902b7");
    expect(turn?.attributes).toMatchObject({ "understudy.outcome": "answered", "understudy.attempts": 2 });
    expect(turn?.status.code).toBe(api.SpanStatusCode.UNSET);
    expect(turn?.events.map(({ name }) => name)).toEqual(["switched"]);

    const attempts = find("chat gpt-5.5");
    expect(attempts.map((span) => span.parentSpanContext?.spanId)).toEqual(Array(2).fill(turn?.spanContext().spanId));
    expect(attempts.map(({ kind }) => kind)).toEqual([api.SpanKind.CLIENT, api.SpanKind.CLIENT]);
    const [failed, answered] = attempts;
    expect(failed?.attributes).toMatchObject({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "openai",
      "gen_ai.request.model": "gpt-5.5",
      "error.type": "quota",
      "http.response.status_code": 429,
      "understudy.decision": "next_credential",
    });
    expect(failed?.status.code).toBe(api.SpanStatusCode.ERROR);
    expect(answered?.attributes).toMatchObject({
      "gen_ai.usage.input_tokens": expect.any(Number) as number,
      "gen_ai.usage.output_tokens": expect.any(Number) as number,
      "gen_ai.usage.cache_read.input_tokens": 0,
    });
    expect(answered?.attributes).not.toHaveProperty("error.type");
    expect(answered?.events.map(({ name }) => name)).toEqual(["committed"]);

    const everything = JSON.stringify(
      memory.getFinishedSpans().map(({ name, attributes, events }) => ({ name, attributes, events })),
    );
    for (const secret of [...rig.stage.simulator.secrets, "private", "ann"]) expect(everything).not.toContain(secret);
  });

  it("end in an error when nobody could answer", async () => {
    register();
    await using rig = await openGatewayRig({ routes: { alone: ["local/qwen3"] } });
    rig.stage.simulator.chat.setBehaviour("*", "model-not-found");
    await rig.ask("/v1/responses", { body: { model: "alone", input: "hello" } });
    const [turn] = find("turn alone");
    expect(turn?.status.code).toBe(api.SpanStatusCode.ERROR);
    expect(turn?.attributes).toMatchObject({ "understudy.outcome": "failed", "error.type": "failed" });
  });

  it("cost nothing while nobody has registered a provider", () => {
    const { observeTurn, within } = createTurnTracing(api, "0");
    expect(within(traceparent, observeTurn)).toBeNull();
    register();
    expect(observeTurn()).not.toBeNull();
  });
});

describe("the header traceparent", () => {
  it.each([
    [traceparent, true],
    [`${traceparent}-more`, true],
    [undefined, false],
    ["", false],
    [traceparent.toUpperCase(), false],
    [`ff-${traceId}-00f067aa0ba902b7-01`, false],
    [`00-${"0".repeat(32)}-00f067aa0ba902b7-01`, false],
    [`00-${traceId}-${"0".repeat(16)}-01`, false],
  ])("%s is read: %s", (header, readable) => {
    expect(parseTraceparent(header) !== null).toBe(readable);
  });
});

describe("sending traces to a collector", () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318" };
  const missing = () => Promise.reject(new Error("not installed"));

  it("begins only when the environment asks for it", async () => {
    const lines: string[] = [];
    for (const quiet of [{}, { ...env, OTEL_SDK_DISABLED: "true" }, { ...env, OTEL_TRACES_EXPORTER: "none" }]) {
      expect(await startTraceExport(quiet, "1", (line) => lines.push(line), missing)).toBeNull();
    }
    expect(lines).toEqual([]);
  });

  it("says what to install when something is missing, and goes on without", async () => {
    const lines: string[] = [];
    expect(await startTraceExport(env, "1", (line) => lines.push(line), missing)).toBeNull();
    expect(lines).toEqual([expect.stringContaining(`npm install ${tracePackages.join(" ")}`)]);
  });

  it("hands every span over before it stops, under the service's name", async () => {
    const sent: ReadableSpan[] = [];
    class OTLPTraceExporter {
      export(spans: ReadableSpan[], done: (result: { code: number }) => void): void {
        sent.push(...spans);
        done({ code: 0 });
      }
      shutdown(): Promise<void> {
        return Promise.resolve();
      }
    }
    const load = (name: string): Promise<unknown> =>
      name.includes("otlp") ? Promise.resolve({ OTLPTraceExporter }) : import(name);
    const named = { ...env, OTEL_SERVICE_NAME: "night-shift" };
    const traces = await startTraceExport(named, "1.2.3", () => expect.unreachable(), load);
    await using rig = await openGatewayRig();
    await rig.ask("/v1/responses", { body: { model: "coding", input: "hello" } });
    await traces?.stop();
    expect(sent.map(({ name }) => name)).toEqual(["chat gpt-5.5", "turn coding"]);
    expect(sent[0]?.resource.attributes).toMatchObject({ "service.name": "night-shift", "service.version": "1.2.3" });
  });
});
