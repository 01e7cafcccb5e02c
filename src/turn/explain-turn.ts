import type { AttemptRecord, TurnOutcome, TurnRecord } from "../core/events.ts";
import { formatUsd } from "../core/price.ts";
import type { Credential } from "../credentials/credential.ts";
import {
  describeDecision,
  describeDuration,
  describeCut,
  describeFailure,
  describeRow,
  describeTime,
  signInCommand,
} from "./advice.ts";
import { describePrices, nameOf, type ReckonedSwitch } from "./switch-cost.ts";

/** A piece of a line that says the same thing about itself: how it may be coloured. */
export interface ExplainedPart {
  readonly text: string;
  readonly tone?: "strong" | "good" | "bad";
}

/** One line of an explanation. */
export interface ExplainedLine {
  /** 0: the turn. 1: an attempt, or what the turn cost. 2: more about the attempt above it. */
  readonly depth: 0 | 1 | 2;
  readonly parts: readonly ExplainedPart[];
  /** The command that the line ends in, for whoever can offer to copy it. */
  readonly command?: string;
}

/** A turn that is over, or one that is under way. */
export type ExplainableTurn = Omit<TurnRecord, "outcome" | "endedAt"> & {
  readonly outcome: TurnOutcome | "running";
  readonly endedAt: number;
};

const outcomeWords: Readonly<Record<TurnOutcome, string>> = {
  answered: "answered",
  cut: "broke off",
  failed: "failed",
  cancelled: "cancelled",
};

/**
 * How a turn went and why: who was tried, what each failure was, which row decided, what it cost. The command line and the status
 * page both show these lines. `credentials` are those that exist now: they only decide which command renews a login.
 */
export function explainTurn(
  turn: ExplainableTurn,
  credentials: readonly Credential[],
  now: number,
  switched: ReckonedSwitch | null = null,
): ExplainedLine[] {
  const { attempts, id, outcome, route, startedAt, endedAt, usage, cost } = turn;
  const ending =
    outcome === "running" ? "under way" : `${outcomeWords[outcome]} after ${describeSpan(startedAt, endedAt)}`;
  const lines: ExplainedLine[] = [
    {
      depth: 0,
      parts: [
        { text: id, tone: "strong" },
        { text: ` · route ${route} · ${describeTime(startedAt, now)} · ${ending}` },
      ],
    },
    ...attempts.flatMap((attempt, i) => explainAttempt(attempt, i + 1, credentials, outcome, now)),
  ];
  if (attempts.length === 0 && outcome !== "running") {
    lines.push({ depth: 1, parts: [{ text: "nobody could be tried: understudy auth list shows why" }] });
  }
  if (usage !== null) {
    const cached = usage.cachedInput > 0 ? ` (${usage.cachedInput} from the cache)` : "";
    const reasoning = usage.reasoning > 0 ? ` (${usage.reasoning} for reasoning)` : "";
    const text = `tokens: ${usage.input} in${cached}, ${usage.output} out${reasoning}`;
    lines.push({ depth: 1, parts: [{ text }] });
  }
  if (cost != null)
    lines.push({ depth: 1, parts: [{ text: `cost: ${formatUsd(cost.usd)}, ${costSources[cost.from]}` }] });
  const lost = switched === null ? null : describeSwitch(switched);
  if (lost !== null) lines.push({ depth: 1, parts: [{ text: lost }] });
  return lines;
}

const costSources = { prices: "by the prices of the configuration", provider: "as the provider reports it" };

/** What the switch did cost, against the one who had served before going on; null when nothing is known to be lost. */
function describeSwitch({ from, cost }: ReckonedSwitch): string | null {
  const prices = describePrices(cost);
  const cache =
    cost.lostCachedTokens > 0 ? `up to ${cost.lostCachedTokens} tokens of its prompt cache read anew` : null;
  const parts = [cache, prices].filter((part) => part !== null);
  return parts.length === 0 ? null : `the switch from ${nameOf(from)}: ${parts.join("; ")}`;
}

function explainAttempt(
  { candidate, startedAt, endedAt, called, waitedMs = 0, restsUntil, dropped, cut, failure, decision }: AttemptRecord,
  number: number,
  credentials: readonly Credential[],
  outcome: ExplainableTurn["outcome"],
  now: number,
): ExplainedLine[] {
  const waited = waitedMs > 0 ? `, after a wait of ${describeSpan(0, waitedMs)}` : "";
  const name = `${number}. ${nameOf(candidate)}${waited}: `;
  if (failure === null) {
    const said: ExplainedPart =
      outcome === "answered" ? { text: "answered", tone: "good" } : { text: "began to answer", tone: "bad" };
    const part: ExplainedPart = outcome === "running" ? { text: "is asked", tone: "strong" } : said;
    return [{ depth: 1, parts: [{ text: name }, part] }, ...explainDropped(dropped)];
  }
  const when = called ? ` after ${describeSpan(startedAt, endedAt)}` : ", before any call";
  const then = decision === null ? "" : `; then: ${describeDecision(decision)}`;
  const lines: ExplainedLine[] = [
    {
      depth: 1,
      parts: [
        { text: name },
        { text: failure.reason, tone: "bad" },
        { text: `${when}: ${cut === true ? describeCut(failure, now) : describeFailure(failure, now)}` },
      ],
    },
    ...explainDropped(dropped),
    { depth: 2, parts: [{ text: `decided by ${describeRow(failure.row)}, scope ${failure.scope}${then}` }] },
  ];
  if (restsUntil !== undefined) {
    lines.push({ depth: 2, parts: [{ text: `rests until ${describeTime(restsUntil, now)}` }] });
  }
  if (!failure.reloginRequired) return lines;
  const credential = credentials.find(({ id }) => id === candidate.credential.id);
  const command = signInCommand(candidate.provider, credential);
  return [...lines, { depth: 2, parts: [{ text: `run ${command}` }], command }];
}

function explainDropped(dropped: readonly string[] = []): ExplainedLine[] {
  return dropped.length === 0
    ? []
    : [{ depth: 2, parts: [{ text: `left out of the request: ${dropped.join("; ")}` }] }];
}

/** `340 ms`, `12 s`. */
function describeSpan(startedAt: number, endedAt: number): string {
  const ms = Math.max(0, endedAt - startedAt);
  return ms < 1_000 ? `${ms} ms` : describeDuration(ms);
}
