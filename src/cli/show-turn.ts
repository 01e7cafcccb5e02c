import { UnderstudyError } from "../core/error.ts";
import type { AttemptRecord, TurnRecord } from "../core/events.ts";
import { formatTarget } from "../core/target.ts";
import { describeDecision, describeDuration, describeFailure, describeTime, signInCommand } from "../turn/advice.ts";
import type { Credential } from "../credentials/credential.ts";
import type { Store } from "../credentials/store.ts";
import type { Workspace } from "../workspace.ts";
import { dataColors, printLines } from "./output.ts";

/** More turns than the journal keeps. */
const wholeJournal = 1_000_000;

/** Prints how a turn went: the last one, or the one whose id begins like this. Throws `usage`. */
export async function showTurn({ store, clock }: Workspace, id: string | undefined): Promise<void> {
  printTurn(await findTurn(store, id), await store.listCredentials(), clock.now());
}

/** The last turn, or the one whose id begins like this. Throws `usage` when there is none, or several. */
export async function findTurn(store: Store, id: string | undefined): Promise<TurnRecord> {
  return chooseTurn(await store.listTurns(id === undefined ? 1 : wholeJournal), id);
}

function chooseTurn(turns: readonly TurnRecord[], id: string | undefined): TurnRecord {
  if (id === undefined) {
    const [last] = turns;
    if (last !== undefined) return last;
    throw new UnderstudyError("usage", "there was no turn yet");
  }
  const [turn, another] = turns.filter((one) => one.id.startsWith(id) || one.id.startsWith(`turn_${id}`));
  if (turn === undefined) throw new UnderstudyError("usage", "the journal has no turn with this id");
  if (another !== undefined && turn.id !== id) throw new UnderstudyError("usage", "several turns begin like this");
  return turn;
}

function printTurn(turn: TurnRecord, credentials: readonly Credential[], now: number): void {
  const { attempts, outcome, route, startedAt, endedAt, usage } = turn;

  printLines(
    `${dataColors.bold(turn.id)} · route ${route} · ${describeTime(startedAt, now)} · ${outcomeWords[outcome]} after ${took(startedAt, endedAt)}`,
  );
  if (attempts.length === 0) printLines("  nobody could be tried: understudy auth list shows why");
  for (const [i, attempt] of attempts.entries()) {
    printLines(...describeAttempt(attempt, i + 1, credentials, outcome, now));
  }
  if (usage !== null) {
    const cached = usage.cachedInput > 0 ? ` (${usage.cachedInput} from the cache)` : "";
    const reasoning = usage.reasoning > 0 ? ` (${usage.reasoning} for reasoning)` : "";
    printLines(`  tokens: ${usage.input} in${cached}, ${usage.output} out${reasoning}`);
  }
}

const outcomeWords: Readonly<Record<TurnRecord["outcome"], string>> = {
  answered: "answered",
  cut: "broke off",
  failed: "failed",
  cancelled: "cancelled",
};

function describeAttempt(
  { candidate, startedAt, endedAt, called, failure, decision }: AttemptRecord,
  number: number,
  credentials: readonly Credential[],
  outcome: TurnRecord["outcome"],
  now: number,
): string[] {
  const name = `  ${number}. ${formatTarget(candidate)} · ${candidate.credential.label}`;
  if (failure === null) {
    const words = outcome === "answered" ? dataColors.green("answered") : dataColors.yellow("began to answer");
    return [`${name}: ${words}`];
  }
  const when = called ? ` after ${took(startedAt, endedAt)}` : ", before any call";
  const lines = [
    `${name}: ${dataColors.yellow(failure.reason)}${when}: ${describeFailure(failure, now)}`,
    `     decided by row ${failure.row}${decision === null ? "" : `; then: ${describeDecision(decision)}`}`,
  ];
  if (!failure.reloginRequired) return lines;
  const credential = credentials.find(({ id }) => id === candidate.credential.id);
  return [...lines, `     run ${signInCommand(candidate.provider, credential)}`];
}

/** `340 ms`, `12 s`. */
function took(startedAt: number, endedAt: number): string {
  const ms = Math.max(0, endedAt - startedAt);
  return ms < 1_000 ? `${ms} ms` : describeDuration(ms);
}
