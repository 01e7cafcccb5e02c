import { ask } from "./ask.ts";
import { MatrixStage, type Player, routeOf } from "./matrix-stage.ts";
import { type Reading, readAnswer } from "./read-answer.ts";
import { type Arena, playScenario, scenarios, type Verdict } from "./scenarios.ts";
import { backendOf, pathOf, requestOf, type Subject, subjects } from "./subjects.ts";

/** The limits of the scenarios, in ms: what their own method gives to every system, and a shorter one for the first event. */
export const scenarioLimits = { firstEventMs: 10_000, idleMs: 30_000 };

const words = {
  primary: "The primary says: the show goes on tonight, whoever is on the stage.",
  fallback: "The fallback says: the show goes on tonight, whoever is on the stage.",
} as const;

export interface ScenarioRow {
  readonly subject: string;
  readonly stream: boolean;
  readonly verdicts: readonly Verdict[];
}

/** All scenarios for every subject with keys, as a stream and not. Each begins with nothing remembered of the one before. */
export async function playScenarios(only?: RegExp): Promise<ScenarioRow[]> {
  const rows: ScenarioRow[] = [];
  await using stage = await MatrixStage.open({ limits: scenarioLimits });
  for (const stream of [true, false]) {
    for (const subject of subjects.filter(({ auth }) => auth === "key")) {
      const verdicts: Verdict[] = [];
      for (const scenario of scenarios) {
        if (only !== undefined && !only.test(scenario.id)) continue;
        const [, second] = subject.targets;
        const fallback = second.slice(0, second.indexOf("/"));
        const players: Player[] = [
          { label: "k1", provider: subject.provider, behaviour: { name: "answer", text: words.primary }, text: "" },
          { label: "t2", provider: fallback, behaviour: { name: "answer", text: words.fallback }, text: "" },
        ];
        await stage.begin(players);
        verdicts.push(await playScenario(scenario, createArena(stage, subject, stream)));
        await stage.end();
      }
      rows.push({ subject: subject.id, stream, verdicts });
    }
  }
  return rows;
}

function createArena(stage: MatrixStage, subject: Subject, stream: boolean): Arena {
  const { simulator, clock } = stage;
  const backend = simulator[subject.backend];
  const [, second] = subject.targets;
  const fallback = simulator[backendOf[second.slice(0, second.indexOf("/"))] ?? "chat"];
  fallback.takesPrefill = false;
  const before = simulator.requests.length;
  return {
    dialect: subject.dialect,
    stream,
    words,
    fallbackModel: second.slice(second.indexOf("/") + 1),
    primary(behaviour, times) {
      const spec = { text: words.primary, ...behaviour };
      if (times === undefined) backend.setBehaviour(stage.nameOf("k1"), spec);
      else backend.script(spec, { for: stage.nameOf("k1"), times });
    },
    holdFor(ms) {
      stage.holdMs = ms;
    },
    ask: () => askOnce(stage, subject, stream),
    seen: () =>
      simulator.requests.slice(before).map(({ credential, at, body }) => ({
        who: credential === stage.nameOf("k1") ? "primary" : "fallback",
        atMs: at,
        isPrefill: endsWithAssistant(body),
      })),
    now: () => clock.now(),
    pass: (ms) => clock.advance(ms),
  };
}

async function askOnce(stage: MatrixStage, subject: Subject, stream: boolean): Promise<Reading> {
  const { url, key, agent } = stage.door;
  const reply = await ask({
    url: `${url}${pathOf[subject.dialect]}`,
    key,
    agent,
    body: requestOf(subject.dialect, routeOf(subject, 2), `scenario ${stage.nameOf("k1")}`, stream),
    signal: AbortSignal.timeout(30_000),
  });
  return readAnswer(subject.dialect, reply);
}

/** True when a request ends with the assistant's own words, for the model to go on from. */
export function endsWithAssistant(body: unknown): boolean {
  const { messages, input } = (body ?? {}) as { messages?: unknown; input?: unknown };
  const list = Array.isArray(messages) ? messages : Array.isArray(input) ? input : [];
  return (list.at(-1) as { role?: unknown } | undefined)?.role === "assistant";
}
