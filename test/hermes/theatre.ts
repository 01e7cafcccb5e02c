import type { Cooldown } from "../../src/core/cooldown.ts";
import type { TurnEvent } from "../../src/core/events.ts";
import type { BehaviourSpec } from "../../src/testing.ts";
import { ask, type Reply } from "../matrix/ask.ts";
import { MatrixStage, type Player, routeOf } from "../matrix/matrix-stage.ts";
import { type Reading, readAnswer } from "../matrix/read-answer.ts";
import { pathOf, requestOf, subjects } from "../matrix/subjects.ts";

/** A turn of a case: who was tried and how it went, and what the caller got. */
export interface Played {
  /** `k1 quota`, `k2 ok`: each attempt in order. */
  readonly story: readonly string[];
  /** Labels of who the providers saw. */
  readonly asked: readonly string[];
  readonly reading: Reading;
  readonly reply: Reply;
  readonly events: readonly TurnEvent[];
  readonly cooldowns: readonly Cooldown[];
}

export interface Play {
  /** The primary's provider. Default `openai`. */
  readonly provider?: "openai" | "codex" | "anthropic" | "local";
  /** What each credential of the primary does, in their order: `k1`, `k2`, … */
  readonly pool: readonly (BehaviourSpec & { readonly times?: number })[];
  /** What the one credential of each further target does: `t2`, `t3`. */
  readonly chain?: readonly BehaviourSpec[];
  /** Default true. */
  readonly stream?: boolean;
  /** Before each turn, by its number from 0. */
  readonly before?: (stage: MatrixStage, turn: number) => void | Promise<void>;
  /** After the last turn, also when it went wrong. */
  readonly after?: (stage: MatrixStage) => Promise<void>;
  /** Default 1. */
  readonly turns?: number;
}

export const well: BehaviourSpec = { name: "answer" };

let opened: Promise<MatrixStage> | null = null;

/** Plays turns on the scripted providers and gives what came of each. The stage is shared and left as it was. */
export async function play({
  provider = "openai",
  pool,
  chain = [],
  stream = true,
  before,
  after,
  turns = 1,
}: Play): Promise<Played[]> {
  opened ??= MatrixStage.open();
  const stage = await opened;
  const subject = subjects.find((one) => one.provider === provider);
  if (subject === undefined) throw new Error(`no subject for ${provider}`);
  const players: Player[] = [
    ...pool.map(({ times, ...behaviour }, index) => {
      const label = `k${index + 1}`;
      const text = `from ${label}`;
      return { label, provider, behaviour: { text, ...behaviour }, text, ...(times === undefined ? {} : { times }) };
    }),
    ...chain.map((behaviour, index) => {
      const label = `t${index + 2}`;
      const target = subject.targets[index + 1] ?? "";
      return {
        label,
        provider: target.slice(0, target.indexOf("/")),
        behaviour: { text: `from ${label}`, ...behaviour },
        text: "",
      };
    }),
  ];
  await stage.begin(players);
  const played: Played[] = [];
  try {
    for (let turn = 0; turn < turns; turn++) {
      stage.events = [];
      await before?.(stage, turn);
      const seen = stage.simulator.requests.length;
      const { url, key, agent } = stage.door;
      const length = (1 + chain.length) as 1 | 2 | 3;
      const body = requestOf(subject.dialect, routeOf(subject, length), `turn ${turn}`, stream);
      const reply = await ask({
        url: `${url}${pathOf[subject.dialect]}`,
        key,
        agent,
        body,
        signal: AbortSignal.timeout(20_000),
      });
      await ended(stage);
      played.push({
        story: storyOf(stage.events),
        asked: stage.askedSince(seen),
        reading: readAnswer(subject.dialect, reply),
        reply,
        events: stage.events,
        cooldowns: await stage.workspace.store.listCooldowns(),
      });
    }
  } finally {
    await after?.(stage);
    await stage.end();
  }
  return played;
}

/** The only turn of a play. */
export async function playOnce(options: Play): Promise<Played> {
  const [only] = await play(options);
  if (only === undefined) throw new Error("nothing was played");
  return only;
}

/** Call it once, after everything. */
export async function closeTheatre(): Promise<void> {
  const stage = await opened;
  opened = null;
  await stage?.[Symbol.asyncDispose]();
}

function storyOf(events: readonly TurnEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.type === "attempt-failed") return [`${event.candidate.credential.label} ${event.failure.reason}`];
    return event.type === "committed" ? [`${event.candidate.credential.label} ok`] : [];
  });
}

/** The end of a turn is told a moment after the last byte of its answer. */
async function ended(stage: MatrixStage): Promise<void> {
  for (let turns = 0; turns < 500; turns++) {
    if (stage.events.some((event) => event.type === "turn-end")) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
