import type { ProtocolName } from "../../src/core/target.ts";
import type { BehaviourSpec } from "../../src/testing.ts";
import type { Reading } from "./read-answer.ts";

/** A primary and one fallback behind something that is to keep a caller's turn alive. */
export interface Arena {
  readonly dialect: ProtocolName;
  readonly stream: boolean;
  /** What the primary does with its next `times` requests, for ever if missing; then it answers. */
  primary(behaviour: BehaviourSpec, times?: number): void;
  /** How long an answer that is held back stays silent, in ms. */
  holdFor(ms: number): void;
  /** One turn. Rejects when nothing came at all. */
  ask(): Promise<Reading>;
  /** Everything that reached the two, in order. */
  seen(): readonly Sighting[];
  /** Ms on the arena's clock. */
  now(): number;
  pass(ms: number): Promise<void>;
  /** The words of a whole answer of either. */
  readonly words: Readonly<Record<"primary" | "fallback", string>>;
  /** What an answer of the fallback names as its model. */
  readonly fallbackModel: string;
}

export interface Sighting {
  readonly who: "primary" | "fallback";
  readonly atMs: number;
  /** The last message of the request was the assistant's own. */
  readonly isPrefill: boolean;
}

/**
 * `pass`: rescued, and everything as it should be. `partial`: rescued, but not as well as it could be. `safe`: not rescued, and told so.
 * `fail`: it hung, passed a cut answer as complete, or hurt the provider.
 */
export type Score = "pass" | "partial" | "safe" | "fail";

export interface Verdict {
  readonly id: string;
  readonly title: string;
  readonly score: Score;
  /** The checks that failed. */
  readonly missed: readonly string[];
}

/** What one turn came to. */
interface Run {
  readonly arena: Arena;
  /** Null: nothing came. */
  readonly reading: Reading | null;
  readonly tookMs: number;
  readonly seen: readonly Sighting[];
}

interface Check {
  readonly name: string;
  /** True: missing it is no failure, but costs the full score. */
  readonly advisory?: boolean;
  readonly holds: (run: Run) => boolean;
}

export interface Scenario {
  readonly id: string;
  readonly title: string;
  /** What a caller should get. Default `answer`: the whole answer of either. */
  readonly ideal?: "answer" | "error" | ((arena: Arena) => "answer" | "error");
  readonly prepare: (arena: Arena) => void;
  readonly checks: readonly Check[];
  /** More than one turn. */
  readonly sequence?: (arena: Arena) => Promise<Verdict>;
}

const seconds = (count: number): number => count * 1_000;

const toPrimary = ({ seen }: Run): readonly Sighting[] => seen.filter(({ who }) => who === "primary");
const atMost = (count: number): Check => ({
  name: `at most ${count} requests to the primary`,
  holds: (run) => toPrimary(run).length <= count,
});
const only = (count: number): Check => ({
  name: `exactly ${count} request to the primary`,
  holds: (run) => toPrimary(run).length === count,
});
const within = (limitMs: number, advisory = false): Check => ({
  name: `within ${limitMs / 1_000} s`,
  advisory,
  holds: ({ tookMs }) => tookMs <= limitMs,
});
const askedAgain: Check = {
  name: "the primary asked again",
  advisory: true,
  holds: (run) => toPrimary(run).length >= 2,
};
const noHammer = (count: number, windowMs: number): Check => ({
  name: `at most ${count} requests in ${windowMs / 1_000} s`,
  holds(run) {
    const times = toPrimary(run).map(({ atMs }) => atMs);
    const [first = 0] = times;
    return times.filter((at) => at - first < windowMs).length <= count;
  },
});
const usage: Check = { name: "usage reported", advisory: true, holds: ({ reading }) => reading?.hasUsage === true };

/**
 * The sixteen scenarios of failoverbench (methodology 0.1: its faults, its checks, its four scores), for all three protocols. It plays
 * them over Chat Completions as a stream; what the two others mean by a scenario is said where it differs. Sources:
 * https://github.com/failoverbench/failoverbench, scenarios/catalogue.yaml and METHODOLOGY.md.
 */
export const scenarios: readonly Scenario[] = [
  {
    id: "S01",
    title: "429 with Retry-After, once",
    prepare: (arena) => arena.primary({ name: "burst-limit", retryAfterS: 2 }, 1),
    checks: [
      askedAgain,
      {
        name: "Retry-After kept",
        advisory: true,
        holds(run) {
          const [first, second] = toPrimary(run);
          return first !== undefined && second !== undefined && second.atMs - first.atMs >= 1_800;
        },
      },
      noHammer(2, 1_500),
    ],
  },
  {
    id: "S02",
    title: "429 without Retry-After, lasting",
    prepare: (arena) => arena.primary({ name: "burst-limit", retryAfterS: null }),
    checks: [noHammer(4, seconds(3)), atMost(6)],
  },
  {
    id: "S03",
    title: "500 once, then healthy",
    prepare: (arena) => arena.primary({ name: "server-error" }, 1),
    checks: [askedAgain],
  },
  {
    id: "S04",
    title: "503 lasting",
    prepare: (arena) => arena.primary({ name: "overloaded" }),
    checks: [atMost(6)],
  },
  {
    id: "S05",
    title: "connection reset before headers, once",
    prepare: (arena) => arena.primary({ name: "reset" }, 1),
    checks: [],
  },
  {
    id: "S06",
    title: "no answer at all",
    prepare(arena) {
      arena.primary({ name: "no-headers" });
      arena.holdFor(seconds(120));
    },
    checks: [within(seconds(100)), { ...only(1), advisory: true }],
  },
  {
    id: "S07",
    title: "first token after 20 s",
    prepare(arena) {
      arena.primary({ name: "slow-first-event" });
      arena.holdFor(seconds(20));
    },
    // An answer that is no stream has no first token to wait for.
    checks: [{ ...within(seconds(15), true), holds: ({ arena, tookMs }) => !arena.stream || tookMs <= seconds(15) }],
  },
  {
    id: "S08",
    title: "cut in the middle of the answer",
    prepare: (arena) => arena.primary({ name: "cut-mid-text" }),
    checks: [],
  },
  {
    id: "S09",
    title: "silence in the middle of the answer",
    prepare(arena) {
      arena.primary({ name: "cut-mid-text", after: "text", pause: true });
      arena.holdFor(seconds(30));
    },
    checks: [within(seconds(45))],
  },
  {
    id: "S10",
    title: "an event that is no JSON",
    prepare: (arena) => arena.primary({ name: "malformed-event" }),
    checks: [],
  },
  {
    id: "S11",
    title: "no mark at the end",
    // Chat Completions says that it is finished before it says [DONE]. The others have one mark, and without it nobody knows.
    ideal: ({ dialect, stream }) => (dialect === "chat-completions" || !stream ? "answer" : "error"),
    prepare(arena) {
      const isChat = arena.dialect === "chat-completions";
      arena.primary(isChat ? { name: "no-done" } : { name: "no-terminal", after: "end", pause: true });
      arena.holdFor(0);
    },
    checks: [within(seconds(8)), { ...usage, holds: (run) => run.reading?.kind !== "answer" || usage.holds(run) }],
  },
  {
    id: "S12",
    title: "context length exceeded",
    prepare: (arena) => arena.primary({ name: "context-overflow" }),
    checks: [only(1)],
  },
  {
    id: "S13",
    title: "refused content",
    ideal: "error",
    prepare: (arena) => arena.primary({ name: "content-policy" }),
    checks: [only(1)],
  },
  {
    id: "S14",
    title: "cut in the middle, and a fallback that takes no prefill",
    prepare: (arena) => arena.primary({ name: "cut-mid-text" }),
    checks: [
      {
        name: "the refused prefill is not the last word",
        holds: ({ reading, seen }) => reading?.kind === "answer" || !seen.some(({ isPrefill }) => isPrefill),
      },
    ],
  },
  {
    id: "S15",
    title: "down for a minute, then healthy",
    prepare: (arena) => arena.primary({ name: "overloaded" }),
    checks: [],
    sequence: playFlap,
  },
  {
    id: "S16",
    title: "who answered is told",
    prepare: (arena) => arena.primary({ name: "overloaded" }),
    checks: [
      { name: "the fallback's model named", holds: ({ reading, arena }) => reading?.model === arena.fallbackModel },
      usage,
      atMost(6),
    ],
  },
];

/** Plays one scenario; the arena must be fresh. */
export async function playScenario(scenario: Scenario, arena: Arena): Promise<Verdict> {
  scenario.prepare(arena);
  if (scenario.sequence !== undefined) return scenario.sequence(arena);
  const startedAt = arena.now();
  const reading = await arena.ask().catch(() => null);
  const run: Run = { arena, reading, tookMs: arena.now() - startedAt, seen: arena.seen() };
  const missed = scenario.checks.filter((check) => !check.holds(run));
  const { ideal = "answer", id, title } = scenario;
  return { id, title, ...score(run, typeof ideal === "function" ? ideal(arena) : ideal, missed) };
}

function score(run: Run, ideal: "answer" | "error", missed: readonly Check[]): Pick<Verdict, "score" | "missed"> {
  const names = missed.map(({ name }) => name);
  const { reading, arena } = run;
  if (reading === null) return { score: "fail", missed: ["nothing came", ...names] };
  const isWhole = reading.kind === "answer" && Object.values(arena.words).includes(reading.text);
  if (reading.kind === "truncated" || (reading.kind === "answer" && !isWhole)) {
    return { score: "fail", missed: ["a cut answer passed as complete", ...names] };
  }
  if (missed.some(({ advisory }) => advisory !== true)) return { score: "fail", missed: names };
  if (reading.oddities.length > 0) return { score: "safe", missed: [...names, ...reading.oddities] };
  if (isWhole !== (ideal === "answer")) return { score: ideal === "answer" ? "safe" : "partial", missed: names };
  return { score: missed.length === 0 ? "pass" : "partial", missed: names };
}

/** Twenty turns, one every four seconds; the primary is well again after a minute. */
async function playFlap(arena: Arena): Promise<Verdict> {
  const missed: string[] = [];
  const startedAt = arena.now();
  const wellAt = startedAt + seconds(60);
  let isWell = false;
  let backAt: number | null = null;
  for (let turn = 0; turn < 20; turn++) {
    if (!isWell && arena.now() >= wellAt) {
      arena.primary({ name: "answer", text: arena.words.primary });
      isWell = true;
    }
    const reading = await arena.ask().catch(() => null);
    if (reading === null) missed.push("nothing came");
    else if (reading.kind !== "answer") missed.push(`turn ${turn + 1} was not answered`);
    if (isWell && reading?.text === arena.words.primary) backAt ??= arena.now();
    await arena.pass(seconds(4) - ((arena.now() - startedAt) % seconds(4)));
  }
  if (backAt === null || backAt - wellAt > seconds(30)) missed.push("not back at the primary within 30 s");
  const [id, title] = ["S15", "down for a minute, then healthy"];
  return { id, title, score: missed.length === 0 ? "pass" : "fail", missed };
}
