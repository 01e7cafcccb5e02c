import type { Failure } from "../core/failure.ts";
import { cleanMessage } from "./clean-message.ts";
import { completeEvidence } from "./complete-evidence.ts";
import type { Evidence } from "./evidence.ts";
import { isHtml } from "./html.ts";
import { findRow } from "./match.ts";
import { behindAggregator, reasonDefaults } from "./reasons.ts";
import { readResetTime } from "./reset-time.ts";
import type { Row } from "./row.ts";
import { failureTable } from "./table.ts";

export interface ClassifyOptions {
  /** Unix ms, for times of recovery. */
  readonly now: number;
  /** The table to ask. Default: `failureTable`. A user's own rows go before it: `[...own, ...failureTable]`. */
  readonly rows?: readonly Row[];
}

/** `Failure.row` when no row fits: what nobody has seen yet. */
export const unmatchedRow = "unknown";

/** The verdict on a bad outcome, by the first row of the table that fits. Never throws, for any evidence. */
export function classifyFailure(evidence: Evidence, options: ClassifyOptions): Failure {
  const { now, rows = failureTable } = options;
  const known = completeEvidence(evidence);
  const row = findRow(rows, known, now);
  const reason = row?.reason ?? "unknown";
  const defaults = reasonDefaults[reason];
  const own = {
    scope: row?.scope ?? defaults.scope,
    next: row?.next ?? defaults.next,
    reloginRequired: row?.reloginRequired ?? defaults.reloginRequired,
  };
  const verdict = known.upstream === true ? behindAggregator(own) : own;
  const retryAt = readResetTime(known, row?.retryAt ?? defaults.retryAt, now);
  const code = known.code ?? known.type ?? known.networkCode;
  return {
    reason,
    scope: verdict.scope,
    next: verdict.next,
    ...(retryAt !== undefined && { retryAt }),
    reloginRequired: verdict.reloginRequired,
    ...(known.status !== undefined && { status: known.status }),
    ...(code !== undefined && { code: cleanMessage(code) }),
    message: messageOf(known) || defaults.words,
    row: row?.name ?? unmatchedRow,
  };
}

/** The provider's words on one clean line, or what came in place of words; empty when nothing did. */
function messageOf({ message, text, headers, status }: Evidence): string {
  if (text === undefined || !isHtml(text, headers)) return cleanMessage(message ?? text ?? "");
  const where = status === undefined ? "" : ` (HTTP ${status})`;
  const title = cleanMessage(message ?? "").slice(0, 120);
  return `a web page came in place of an answer${where}${title === "" ? "" : `: ${title}`}`;
}
