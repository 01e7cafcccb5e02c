import { createTurnTracing, type TurnTracing } from "./turn-spans.ts";

/** True when somebody has registered a provider of spans in this process: `@opentelemetry/api` keeps it here, whoever loaded it. */
export function isTracerRegistered(): boolean {
  return Symbol.for("opentelemetry.js.api.1") in globalThis;
}

/**
 * Spans for turns if `@opentelemetry/api` is installed beside this package; else null, and nothing is ever measured. They go to whatever
 * provider the application registers, now or later.
 */
export async function loadTurnTracing(version: string): Promise<TurnTracing | null> {
  const api = await import("@opentelemetry/api").catch(() => null);
  return api === null ? null : createTurnTracing(api, version);
}
