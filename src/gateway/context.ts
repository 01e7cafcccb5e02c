import type { IncomingHttpHeaders } from "node:http";
import type { TurnEvent } from "../core/events.ts";
import type { MetricFamily } from "../telemetry/prometheus.ts";
import type { TurnTracing } from "../telemetry/turn-spans.ts";
import type { Workspace } from "../workspace.ts";
import type { Affinity } from "./affinity.ts";
import type { Metrics } from "./metrics.ts";
import type { OpenTurns } from "./open-turns.ts";
import type { GatewayLimits } from "./options.ts";
import type { StatusPage } from "./page/status-page.ts";

/** What the routes of one gateway share. */
export interface GatewayContext {
  readonly workspace: Workspace;
  readonly limits: GatewayLimits;
  readonly affinity: Affinity;
  readonly metrics: Metrics;
  readonly metricsOfOthers: () => Promise<readonly (readonly MetricFamily[])[]>;
  /** Null when OpenTelemetry is not installed. */
  readonly tracing: TurnTracing | null;
  readonly turns: OpenTurns;
  /** Null when this gateway shows none. */
  readonly page: StatusPage | null;
  readonly hasKey: (headers: IncomingHttpHeaders) => boolean;
  readonly allowedHosts: ReadonlySet<string>;
  readonly onEvent: (event: TurnEvent) => void;
  readonly onNotice: (line: string) => void;
}
