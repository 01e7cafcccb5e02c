import type { Cooldown } from "../../src/core/cooldown.ts";
import type { TurnEvent, TurnRecord } from "../../src/core/events.ts";
import { ask, type Reply } from "./ask.ts";
import { type Cell, expectedOutcome, type Outcome } from "./cells.ts";
import { type MatrixStage, type Player, routeOf } from "./matrix-stage.ts";
import { readAnswer, type Reading } from "./read-answer.ts";
import { type Fault, faultsOf } from "./rules.ts";
import { natureOf } from "./shapes.ts";
import { backendOf, pathOf, requestOf } from "./subjects.ts";

/** One turn as both ends saw it. */
export interface Sighting {
  readonly reply: Reply;
  readonly reading: Reading;
  /** Labels of who was asked, in order, as the providers saw it. */
  readonly asked: readonly string[];
  readonly events: readonly TurnEvent[];
  readonly record: TurnRecord | null;
}

/** All that a cell came to. */
export interface Observation {
  readonly cell: Cell;
  readonly players: readonly Player[];
  readonly first: Sighting;
  /** The same asked again, with every fault still there; null when the first was not answered. */
  readonly second: Sighting | null;
  readonly cooldowns: readonly Cooldown[];
  /** Each time a cooldown became shorter, in words. */
  readonly shortened: readonly string[];
  /** Requests to places that no provider has, redirects that were followed. */
  readonly unplanned: number;
  readonly secrets: readonly string[];
  readonly notices: readonly string[];
}

export interface CellResult {
  readonly id: string;
  readonly subject: string;
  readonly stream: boolean;
  readonly shape: string;
  readonly place: string;
  readonly credentials: number;
  readonly targets: number;
  readonly expected: Outcome;
  /** What the caller got; `hung` when nothing came at all, `truncated` for a cut answer that was passed as complete. */
  readonly got: Outcome | "hung" | "truncated";
  /** Labels of who was asked, in order: `k1`, `k2`, … of the primary's pool, `t2` and `t3` behind it. */
  readonly asked: readonly string[];
  /** The same for the next turn; empty when there was none. */
  readonly askedAgain: readonly string[];
  /** The rules that held. A rule that the cell does not touch is in neither list. */
  readonly held: readonly string[];
  readonly broken: readonly Fault[];
}

/** Nothing in a cell waits, so one that takes this long hangs. Milliseconds of the machine's clock. */
const patienceMs = 30_000;

/** Plays one cell on a stage that nobody else uses meanwhile. Deterministic: no times, no ids, nothing of this machine. */
export async function runCell(stage: MatrixStage, cell: Cell): Promise<CellResult> {
  const observation = await observeCell(stage, cell);
  if (observation === null) {
    return report(cell, "hung", [], [], { held: [], broken: [{ rule: "R2", why: "nothing came" }] });
  }
  const { first, second } = observation;
  const outcome = outcomeOf(first.reading);
  return report(cell, outcome, first.asked, second?.asked ?? [], faultsOf(observation, outcome));
}

/** What both ends see of a cell; null when nothing came. */
export async function observeCell(stage: MatrixStage, cell: Cell): Promise<Observation | null> {
  const players = castOf(stage, cell);
  await stage.begin(players);
  if (cell.shape.fault === "slow-first-event" || cell.shape.spec.pause === true) stage.holdMs = 0;
  const cooldowns = watchCooldowns(stage);
  try {
    const first = await playTurn(stage, cell);
    if (first === null) return null;
    const second = outcomeOf(first.reading) === "answered" ? await playTurn(stage, cell) : null;
    return {
      cell,
      players,
      first,
      second,
      cooldowns: await stage.workspace.store.listCooldowns(),
      shortened: cooldowns.shortened,
      unplanned: stage.simulator.unplanned.length,
      secrets: await stage.secrets(),
      notices: stage.notices,
    };
  } finally {
    cooldowns.stop();
    await stage.end();
  }
}

/** Who is on, and what each of them does. */
function castOf(stage: MatrixStage, { subject, shape, credentials, targets }: Cell): Player[] {
  const players: Player[] = [];
  const enter = (label: string, provider: string, isFaulty: boolean): void => {
    // Each has words of its own, so that nobody's can be taken for another's.
    const text = `From ${label}, in several pieces: the show goes on tonight.`;
    const behaviour = isFaulty
      ? { ...shape.spec, ...(shape.spec.after === "tool-call" ? {} : { text }) }
      : { name: "answer" as const, text };
    players.push({ label, provider, behaviour, text });
  };
  for (let n = 1; n <= credentials; n++) {
    enter(`k${n}`, subject.provider, targets === 3 || n < credentials || credentials === 1);
  }
  if (targets === 1) return players;
  for (const [index, target] of subject.targets.slice(1).entries()) {
    const provider = target.slice(0, target.indexOf("/"));
    const backend = backendOf[provider] ?? "chat";
    const hasIt = stage.simulator[backend].supports(shape.fault) && natureOf(shape.fault, backend) === shape.nature;
    enter(`t${index + 2}`, provider, index === 0 && hasIt);
  }
  return players;
}

async function playTurn(stage: MatrixStage, { id, subject, stream, targets }: Cell): Promise<Sighting | null> {
  const before = stage.simulator.requests.length;
  stage.events = [];
  const { url, key, agent } = stage.door;
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), patienceMs);
  try {
    const reply = await ask({
      url: `${url}${pathOf[subject.dialect]}`,
      key,
      agent,
      body: requestOf(subject.dialect, routeOf(subject, targets), `cell ${id}`, stream),
      signal: giveUp.signal,
    });
    const record = await turnRecord(stage);
    const reading = readAnswer(subject.dialect, reply);
    return { reply, reading, asked: stage.askedSince(before), events: stage.events, record };
  } catch {
    if (giveUp.signal.aborted) return null;
    throw new Error(`${id}: the gateway closed the connection without an answer`);
  } finally {
    clearTimeout(timer);
  }
}

/** The turn's record in the journal. It is written after the answer's last byte. */
async function turnRecord(stage: MatrixStage): Promise<TurnRecord | null> {
  for (let turns = 0; turns < 200; turns++) {
    const [record] = await stage.workspace.store.listTurns(1);
    const start = stage.events.find((event) => event.type === "turn-start");
    if (start?.type === "turn-start" && record?.id === start.turnId) return record;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return null;
}

/** Follows every cooldown that is written: none may end earlier than before. */
function watchCooldowns(stage: MatrixStage): { shortened: string[]; stop: () => void } {
  const { store } = stage.workspace;
  const original = store.putCooldown.bind(store);
  const shortened: string[] = [];
  const standing = async (cooldown: Cooldown): Promise<Cooldown | undefined> =>
    (await store.listCooldowns(cooldown.provider)).find(
      (one) => one.credentialId === cooldown.credentialId && one.model === cooldown.model,
    );
  store.putCooldown = async (cooldown) => {
    const before = await standing(cooldown);
    await original(cooldown);
    const after = await standing(cooldown);
    if (before !== undefined && (after === undefined || after.until < before.until)) {
      shortened.push(
        `${before.reason} until ${before.until} became ${after?.until ?? "nothing"} by ${cooldown.reason}`,
      );
    }
  };
  return {
    shortened,
    stop: () => {
      store.putCooldown = original;
    },
  };
}

const filtered: ReadonlySet<string | null> = new Set(["content_filter", "refusal"]);

/** What the caller got, by its own reading. A turn that nobody could answer names its route. */
export function outcomeOf({ kind, finish, told }: Reading): Outcome | "truncated" {
  switch (kind) {
    case "answer":
      return filtered.has(finish) ? "refused" : "answered";
    case "cut":
    case "truncated":
      return kind;
    case "error":
      return told?.startsWith("nobody on route") === true ? "failed" : "refused";
  }
}

function report(
  cell: Cell,
  got: CellResult["got"],
  asked: readonly string[],
  askedAgain: readonly string[],
  { held, broken }: Pick<CellResult, "held" | "broken">,
): CellResult {
  const { id, subject, stream, shape, credentials, targets } = cell;
  return {
    id,
    subject: subject.id,
    stream,
    shape: shape.id,
    place: shape.place,
    credentials,
    targets,
    expected: expectedOutcome(cell),
    got,
    asked,
    askedAgain,
    held,
    broken,
  };
}
