import type { TurnEvent } from "../core/events.ts";

/** Upper bounds of the first-event histogram, in seconds. */
const buckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/** What the gateway counts, as Prometheus reads it. Labels are provider ids, reasons and scopes: never who or what was asked. */
export interface Metrics {
  observe(event: TurnEvent): void;
  /** From a request's arrival until its answer was committed, in ms. */
  firstEvent(ms: number): void;
  /** Text format 0.0.4. `openTurns` are the requests being answered now. */
  text(openTurns: number): string;
}

export function createMetrics(): Metrics {
  const attempts = createCounter("understudy_attempts_total", "Upstream calls and tries of one.", ["provider"]);
  const failures = createCounter(
    "understudy_failures_total",
    "Failed attempts, by what was wrong and whose fault it was.",
    ["provider", "reason", "scope"],
  );
  const switches = createCounter("understudy_switches_total", "Hand-overs from one candidate to another.", [
    "from",
    "to",
  ]);
  const refreshes = createCounter("understudy_token_refreshes_total", "Token refreshes in turns.", [
    "provider",
    "outcome",
  ]);
  const turns = createCounter("understudy_turns_total", "Turns that came to an end.", ["outcome"]);
  const waits = createCounter("understudy_waits_total", "Times a turn waited for a recovery.", []);
  const counts = buckets.map(() => 0);
  let count = 0;
  let sum = 0;

  return {
    observe(event) {
      switch (event.type) {
        case "attempt-start":
          return attempts.add([event.candidate.provider]);
        case "attempt-failed":
          return failures.add([event.candidate.provider, event.failure.reason, event.failure.scope]);
        case "switched":
          return switches.add([event.from.provider, event.to.provider]);
        case "token-refresh":
          return refreshes.add([event.candidate.provider, event.outcome]);
        case "waiting":
          return waits.add([]);
        case "turn-end":
          return turns.add([event.outcome]);
        case "turn-start":
        case "committed":
        case "relogin-required":
        case "store-unavailable":
          return;
      }
    },
    firstEvent(ms) {
      count += 1;
      sum += ms / 1_000;
      for (const [i, bound] of buckets.entries()) if (ms / 1_000 <= bound) counts[i] = (counts[i] ?? 0) + 1;
    },
    text(openTurns) {
      const name = "understudy_first_event_seconds";
      return [
        ...[turns, attempts, failures, switches, refreshes, waits].map((counter) => counter.text()),
        `# HELP understudy_open_turns Requests being answered now.\n# TYPE understudy_open_turns gauge`,
        `understudy_open_turns ${openTurns}`,
        `# HELP ${name} From a request's arrival until its answer was committed.\n# TYPE ${name} histogram`,
        ...buckets.map((bound, i) => `${name}_bucket{le="${bound}"} ${counts[i] ?? 0}`),
        `${name}_bucket{le="+Inf"} ${count}`,
        `${name}_sum ${sum}`,
        `${name}_count ${count}`,
        "",
      ].join("\n");
    },
  };
}

interface Counter {
  add(values: readonly string[]): void;
  text(): string;
}

function createCounter(name: string, help: string, labels: readonly string[]): Counter {
  const values = new Map<string, number>();
  return {
    add(given) {
      const key = labels.map((label, i) => `${label}="${escapeLabel(given[i] ?? "")}"`).join(",");
      values.set(key, (values.get(key) ?? 0) + 1);
    },
    text() {
      const rows = [...values].map(([key, value]) => `${name}${key === "" ? "" : `{${key}}`} ${value}`);
      return [`# HELP ${name} ${help}`, `# TYPE ${name} counter`, ...rows].join("\n");
    },
  };
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
