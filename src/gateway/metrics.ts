import type { Candidate, TurnEvent, TurnOutcome, Usage } from "../core/events.ts";
import type { Failure } from "../core/failure.ts";
import { needsRelogin } from "../credentials/credential.ts";
import { readPackageVersion } from "../platform/package-version.ts";
import {
  createCounter,
  createHistogram,
  gaugeFamily,
  type MetricFamily,
  type Series,
} from "../telemetry/prometheus.ts";
import type { RefreshTold, Workspace } from "../workspace.ts";

/** Upper bounds in seconds. The first event of a model takes seconds, what we add to it milliseconds. */
const firstEventBounds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
const overheadBounds = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];

/**
 * What the gateway counts, as Prometheus reads it. Labels are ids of providers, reasons, scopes and states: never who or what was
 * asked (rule R8), and never so many that they grow with use.
 */
export interface Metrics {
  /** Called as a turn begins; what it gives is told what happens in that turn. */
  readonly observeTurn: () => (event: TurnEvent) => void;
  readonly onRefresh: (told: RefreshTold) => void;
  /** From a request's arrival until its answer was committed, in ms. */
  firstEvent(ms: number): void;
  /** All metrics as they are now. Reads the store, spends nothing; a store that can't be read leaves its metrics out. */
  families(): Promise<MetricFamily[]>;
}

/** `openTurns`: the requests that are being answered now. */
export function createMetrics(workspace: Workspace, openTurns: () => number): Metrics {
  const turns = createCounter({
    name: "understudy_turns_total",
    help: "Turns that came to an end, by how.",
    labels: ["outcome"],
  });
  const attempts = createCounter({
    name: "understudy_attempts_total",
    help: "Upstream calls and tries of one.",
    labels: ["provider"],
  });
  const failures = createCounter({
    name: "understudy_failures_total",
    help: "Failed attempts and answers that broke off, by what was wrong and whose fault it was.",
    labels: ["provider", "reason", "scope"],
  });
  const switches = createCounter({
    name: "understudy_switches_total",
    help: "Hand-overs from one candidate to another, by provider.",
    labels: ["from", "to"],
  });
  const cooldowns = createCounter({
    name: "understudy_cooldowns_total",
    help: "Cooldowns set, by why.",
    labels: ["provider", "reason"],
  });
  const refreshes = createCounter({
    name: "understudy_token_refreshes_total",
    help: "Refresh tokens spent, by how it ended; also those in the background.",
    labels: ["provider", "outcome"],
  });
  const waits = createCounter({ name: "understudy_waits_total", help: "Times a turn waited for a recovery." });
  const tokens = createCounter({
    name: "understudy_tokens_total",
    help: "Tokens of complete answers. Input includes cached_input, output includes reasoning.",
    labels: ["provider", "kind"],
  });
  const costs = createCounter({
    name: "understudy_cost_usd_total",
    help: "What complete answers cost in USD, where prices are configured or reported.",
    labels: ["provider"],
  });
  const firstEvent = createHistogram({
    name: "understudy_first_event_seconds",
    help: "From a request's arrival until its answer was committed.",
    bounds: firstEventBounds,
  });
  const overhead = createHistogram({
    name: "understudy_overhead_seconds",
    help: "What the gateway itself added to a committed turn: without providers, token endpoints and waits.",
    bounds: overheadBounds,
  });
  const counted = [turns, attempts, failures, switches, cooldowns, refreshes, waits, tokens, costs];
  const startedAt = workspace.clock.now() / 1_000;

  /** What nearly every turn counts of who serves it, found once. */
  const served = new Map<string, Served>();
  const ended = new Map<TurnOutcome, Series>();

  function servedBy(provider: string): Served {
    let known = served.get(provider);
    if (known === undefined) {
      const attempted = attempts.series([provider]);
      served.set(provider, (known = { provider, attempted, tokens: null }));
    }
    return known;
  }

  function countTokens(by: Served, { input, cachedInput, output, reasoning }: Usage): void {
    const { provider } = by;
    const counted = (by.tokens ??= {
      input: tokens.series([provider, "input"]),
      cachedInput: tokens.series([provider, "cached_input"]),
      output: tokens.series([provider, "output"]),
      reasoning: tokens.series([provider, "reasoning"]),
    });
    counted.input.count += input;
    counted.cachedInput.count += cachedInput;
    counted.output.count += output;
    counted.reasoning.count += reasoning;
  }

  function countEnd(outcome: TurnOutcome): void {
    let series = ended.get(outcome);
    if (series === undefined) ended.set(outcome, (series = turns.series([outcome])));
    series.count += 1;
  }

  return {
    observeTurn() {
      let server: Candidate | null = null;
      /** The failures of this turn's attempts, which are counted. */
      let told: Failure[] | null = null;
      return (event) => {
        switch (event.type) {
          case "attempt-start":
            servedBy(event.candidate.provider).attempted.count += 1;
            return;
          case "attempt-failed": {
            const { candidate, failure, cooldown } = event;
            (told ??= []).push(failure);
            failures.add([candidate.provider, failure.reason, failure.scope]);
            if (cooldown !== undefined) cooldowns.add([cooldown.provider, cooldown.reason]);
            return;
          }
          case "switched":
            return switches.add([event.from.provider, event.to.provider]);
          case "waiting":
            return waits.add();
          case "committed":
            server = event.candidate;
            if (event.overheadMs !== undefined) overhead.observe(event.overheadMs / 1_000);
            return;
          case "turn-end": {
            const { outcome, usage, cost, failure, cooldown } = event;
            countEnd(outcome);
            if (cooldown !== undefined) cooldowns.add([cooldown.provider, cooldown.reason]);
            if (server === null) return;
            const { provider } = server;
            // A break that nobody went on after has been told as the attempt's already.
            if (failure !== null && told?.includes(failure) !== true) {
              failures.add([provider, failure.reason, failure.scope]);
            }
            if (usage !== null) countTokens(servedBy(provider), usage);
            if (cost !== null) costs.add([provider], cost.usd);
            return;
          }
          case "turn-start":
          case "token-refresh":
          case "relogin-required":
          case "store-unavailable":
            return;
        }
      };
    },
    onRefresh: ({ provider, outcome }) => refreshes.add([provider, outcome]),
    firstEvent: (ms) => firstEvent.observe(ms / 1_000),
    async families() {
      const gauge = workspace.runtime.gauge ?? { openStreams: 0, heldBytes: 0 };
      return [
        ...counted.map((counter) => counter.family()),
        firstEvent.family(),
        overhead.family(),
        one("understudy_open_turns", "Requests being answered now.", openTurns()),
        one("understudy_open_streams", "Answers of providers being read now.", gauge.openStreams),
        one("understudy_held_bytes", "Bytes of answers held back now, before their first content.", gauge.heldBytes),
        ...(await storedFamilies(workspace)),
        one("process_start_time_seconds", "When this process was started, in Unix seconds.", startedAt, "max"),
        one("process_resident_memory_bytes", "Resident memory.", process.memoryUsage.rss()),
        gaugeFamily(
          { name: "understudy_build_info", help: "The version that runs.", labels: ["version"], merge: "max" },
          [[[readPackageVersion()], 1]],
        ),
      ];
    },
  };
}

/** What is counted for one provider. */
interface Served {
  readonly provider: string;
  readonly attempted: Series;
  /** Null until an answer of its told its tokens. */
  tokens: Readonly<Record<"input" | "cachedInput" | "output" | "reasoning", Series>> | null;
}

function one(name: string, help: string, value: number, merge: MetricFamily["merge"] = "sum"): MetricFamily {
  return gaugeFamily({ name, help, merge }, [[[], value]]);
}

/** What every process that shares the store sees alike. */
async function storedFamilies({ store, clock }: Workspace): Promise<MetricFamily[]> {
  let credentials: Awaited<ReturnType<typeof store.listCredentials>>;
  let cooldowns: Awaited<ReturnType<typeof store.listCooldowns>>;
  try {
    [credentials, cooldowns] = await Promise.all([store.listCredentials(), store.listCooldowns()]);
  } catch {
    return [];
  }
  const now = clock.now();
  const standing = cooldowns.filter(({ until }) => until > now);
  const wholly = new Set(standing.filter(({ model }) => model === "").map(({ credentialId }) => credentialId));
  const states = countBy(credentials, (credential) => {
    if (credential.paused) return [credential.provider, "paused"];
    if (credential.kind === "oauth" && needsRelogin(credential)) return [credential.provider, "relogin_required"];
    return [credential.provider, wholly.has(credential.id) ? "resting" : "ready"];
  });
  const resting = countBy(standing, ({ provider, reason }) => [provider, reason]);
  return [
    gaugeFamily(
      {
        name: "understudy_credentials",
        help: "Stored credentials by state: ready, resting, paused, relogin_required.",
        labels: ["provider", "state"],
        merge: "max",
      },
      states,
    ),
    gaugeFamily(
      {
        name: "understudy_active_cooldowns",
        help: "Cooldowns that stand now, of credentials and of models, by why.",
        labels: ["provider", "reason"],
        merge: "max",
      },
      resting,
    ),
  ];
}

function countBy<T>(items: readonly T[], labelsOf: (item: T) => readonly string[]): [readonly string[], number][] {
  const counts = new Map<string, [readonly string[], number]>();
  for (const item of items) {
    const labels = labelsOf(item);
    const entry = counts.get(labels.join("\n")) ?? [labels, 0];
    entry[1] += 1;
    counts.set(labels.join("\n"), entry);
  }
  return [...counts.values()];
}
