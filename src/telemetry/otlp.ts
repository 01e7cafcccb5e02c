type Env = Readonly<Record<string, string | undefined>>;

/** Sends spans to an OpenTelemetry collector until it is stopped. */
export interface TraceExport {
  /** Sends what is left, for at most a few seconds. */
  stop(): Promise<void>;
}

/** What has to be installed for it, beside this package. */
export const tracePackages = [
  "@opentelemetry/api",
  "@opentelemetry/sdk-trace",
  "@opentelemetry/resources",
  "@opentelemetry/exporter-trace-otlp-http",
] as const;

/** True when the environment asks for traces: https://opentelemetry.io/docs/specs/otel/protocol/exporter/ */
export function asksForTraces(env: Env): boolean {
  if (env["OTEL_SDK_DISABLED"]?.toLowerCase() === "true" || env["OTEL_TRACES_EXPORTER"] === "none") return false;
  return [env["OTEL_EXPORTER_OTLP_ENDPOINT"], env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]].some(
    (endpoint) => (endpoint ?? "").trim() !== "",
  );
}

/**
 * Registers a provider of spans that sends them by OTLP over HTTP to where the environment says (`OTEL_EXPORTER_OTLP_ENDPOINT` and the
 * other variables of the specification, read by the exporter itself). Null when nobody asks for it, when the application has
 * registered a provider already, and when a package is missing: then `onMissing` is told, in one line, what to install.
 */
export async function startTraceExport(
  env: Env,
  version: string,
  onMissing: (line: string) => void,
  load: (name: (typeof tracePackages)[number]) => Promise<unknown> = (name) => import(name),
): Promise<TraceExport | null> {
  if (!asksForTraces(env)) return null;
  const [api, sdk, resources, exporter] = await Promise.all(tracePackages.map((name) => load(name).catch(() => null)));
  if (!api || !sdk || !resources || !exporter) {
    onMissing(
      `no traces: OTEL_EXPORTER_OTLP_ENDPOINT is set, but packages are missing. Install them beside this one: npm install ${tracePackages.join(" ")}`,
    );
    return null;
  }
  const { trace } = api as typeof import("@opentelemetry/api");
  const { BatchSpanProcessor, TracerProvider } = sdk as typeof import("@opentelemetry/sdk-trace");
  const { defaultResource, resourceFromAttributes } = resources as typeof import("@opentelemetry/resources");
  const { OTLPTraceExporter } = exporter as { OTLPTraceExporter: new () => SpanExporter };
  const provider = new TracerProvider({
    resource: defaultResource().merge(
      resourceFromAttributes({
        "service.name": env["OTEL_SERVICE_NAME"] ?? "understudy",
        "service.version": version,
      }),
    ),
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  });
  if (!trace.setGlobalTracerProvider(provider)) {
    await provider.shutdown();
    return null;
  }
  return {
    async stop() {
      const enough = new Promise<void>((resolve) => setTimeout(resolve, 3_000).unref());
      await Promise.race([provider.shutdown().catch(() => {}), enough]);
    },
  };
}

type SpanExporter = import("@opentelemetry/sdk-trace").SpanExporter;
