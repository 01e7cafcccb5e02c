import type { Attributes, Context, Span, SpanContext, Tracer } from "@opentelemetry/api";
import type { Candidate, TurnEvent, Usage } from "../core/events.ts";
import type { Failure } from "../core/failure.ts";
import { general, genAi, own, providerName } from "./names.ts";

type Api = typeof import("@opentelemetry/api");

/** Turns as spans of OpenTelemetry, in whatever provider the application has registered. */
export interface TurnTracing {
  /** Called as a turn begins; what it gives is told what happens in that turn. Null while nobody has registered a provider. */
  readonly observeTurn: () => ((event: TurnEvent) => void) | null;
  /**
   * Runs `work`; a turn that begins before it first waits becomes part of the caller's trace, as the header `traceparent` names it
   * (W3C Trace Context), unless a span is active here already.
   */
  readonly within: <T>(traceparent: string | undefined, work: () => T) => T;
}

/** Answers that are watched by nobody. */
const ignore = (): void => {};

/** Where `@opentelemetry/api`, whoever loaded it, keeps what an application has registered. */
const registered = Symbol.for("opentelemetry.js.api.1");

/** True when the application has a provider of spans now. Asked twice in each turn, and most have none. */
function hasProvider(): boolean {
  return (globalThis as { [registered]?: { readonly trace?: unknown } })[registered]?.trace !== undefined;
}

/**
 * One span per turn, `turn ROUTE`, with a child per attempt, `chat MODEL`. No span holds anything that was asked or answered, no label
 * that a person chose, and no words of a provider: reasons, rows, ids and numbers only.
 */
export function createTurnTracing(api: Api, version: string): TurnTracing {
  let remote: SpanContext | null = null;
  // It goes on to whatever provider is registered, also one that comes later.
  const tracer = api.trace.getTracer("understudy", version);

  function parent(): Context {
    const active = api.context.active();
    if (remote === null || api.trace.getSpan(active) !== undefined) return active;
    return api.trace.setSpanContext(active, remote);
  }

  return {
    observeTurn() {
      if (!hasProvider()) return null;
      const around = parent();
      let watch: ((event: TurnEvent) => void) | null = null;
      return (event) => {
        if (event.type === "turn-start") watch = startTurn(api, tracer, around, event);
        else watch?.(event);
      };
    },
    within(traceparent, work) {
      if (!hasProvider()) return work();
      const before = remote;
      remote = parseTraceparent(traceparent);
      try {
        return work();
      } finally {
        remote = before;
      }
    },
  };
}

function startTurn(
  api: Api,
  tracer: Tracer,
  around: Context,
  { turnId, route, at }: Extract<TurnEvent, { type: "turn-start" }>,
): (event: TurnEvent) => void {
  const turn = tracer.startSpan(
    `turn ${route}`,
    { startTime: at, attributes: { [own.turnId]: turnId, [own.route]: route } },
    around,
  );
  if (!turn.isRecording()) return ignore;
  const inTurn = api.trace.setSpan(around, turn);
  const error = { code: api.SpanStatusCode.ERROR };
  let attempt: Span | null = null;

  function fail(span: Span, failure: Failure): void {
    span.setAttributes({ ...aboutFailure(failure) });
    span.setStatus(error);
  }

  return (event) => {
    switch (event.type) {
      case "attempt-start":
        attempt = tracer.startSpan(
          `chat ${event.candidate.model}`,
          {
            kind: api.SpanKind.CLIENT,
            startTime: event.at,
            attributes: { ...aboutCandidate(event.candidate), [own.attempt]: event.attempt },
          },
          inTurn,
        );
        return;
      case "attempt-failed":
        if (attempt === null) return;
        fail(attempt, event.failure);
        attempt.setAttribute(own.decision, event.decision.action);
        attempt.end(event.at);
        attempt = null;
        return;
      case "committed":
        attempt?.addEvent("committed", {}, event.at);
        if (event.overheadMs !== undefined) turn.setAttribute(own.overheadMs, event.overheadMs);
        return;
      case "switched":
        turn.addEvent(
          "switched",
          { from: nameOf(event.from), to: nameOf(event.to), reason: event.failure.reason },
          event.at,
        );
        return;
      case "waiting":
        turn.addEvent("waiting", { until: new Date(event.untilMs).toISOString() }, event.at);
        return;
      case "token-refresh":
        turn.addEvent("token-refresh", { provider: event.candidate.provider, outcome: event.outcome }, event.at);
        return;
      case "relogin-required":
        turn.addEvent("relogin-required", { provider: event.candidate.provider }, event.at);
        return;
      case "turn-end": {
        const { outcome, attempts, usage, cost, failure, at } = event;
        turn.setAttributes({ [own.outcome]: outcome, [own.attempts]: attempts });
        if (cost !== null) turn.setAttribute(own.costUsd, cost.usd);
        if (attempt !== null) {
          if (failure !== null) fail(attempt, failure);
          if (usage !== null) attempt.setAttributes(aboutUsage(usage));
          attempt.end(at);
        }
        if (outcome === "failed" || outcome === "cut") {
          turn.setAttribute(general.errorType, failure?.reason ?? outcome);
          turn.setStatus(error);
        }
        turn.end(at);
        return;
      }
      case "turn-start":
      case "store-unavailable":
        return;
    }
  };
}

function aboutCandidate({ provider, model, credential }: Candidate): Attributes {
  return {
    [genAi.operation]: "chat",
    [genAi.provider]: providerName(provider),
    [genAi.model]: model,
    [own.provider]: provider,
    [own.credentialId]: credential.id,
  };
}

function aboutFailure({ reason, row, scope, status }: Failure): Attributes {
  return {
    [general.errorType]: reason,
    [own.row]: row,
    [own.scope]: scope,
    ...(status === undefined ? {} : { [general.httpStatus]: status }),
  };
}

function aboutUsage({ input, output, cachedInput, reasoning }: Usage): Attributes {
  return {
    [genAi.inputTokens]: input,
    [genAi.outputTokens]: output,
    [genAi.cacheReadTokens]: cachedInput,
    [genAi.reasoningTokens]: reasoning,
  };
}

function nameOf({ provider, model }: Candidate): string {
  return `${provider}/${model}`;
}

/** https://www.w3.org/TR/trace-context/#traceparent-header; null when there is none, or it can't be read. */
export function parseTraceparent(header: string | undefined): SpanContext | null {
  const match = /^(?!ff)[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(?:-.*)?$/.exec(header?.trim() ?? "");
  const [, traceId = "", spanId = "", flags = ""] = match ?? [];
  if (match === null || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
}
