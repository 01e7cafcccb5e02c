import { formatTarget } from "../core/target.ts";
import type { TookOver } from "./continuation.ts";
import type { TurnResult } from "./run-turn.ts";

/** Longest list of what was dropped that goes into a header, in characters before escaping. */
const droppedLimit = 1_000;

/**
 * Headers that go with every answer: which turn it was, who served it (`provider/model/label`), after how many attempts, whether
 * it was switched, and what of the request could not be carried there. Values are percent-encoded: a label is whatever a person typed.
 */
export function aboutTurn(result: TurnResult): Record<string, string> {
  if (!result.ok) {
    return {
      "x-understudy-turn": result.turnId,
      "x-understudy-served-by": "none",
      "x-understudy-attempts": String(result.attempts.length),
      "x-understudy-switched": "false",
    };
  }
  const { candidate, dropped } = result;
  return {
    "x-understudy-turn": result.turnId,
    "x-understudy-served-by": escaped(`${formatTarget(candidate)}/${candidate.credential.label}`),
    "x-understudy-attempts": String(result.attempts),
    "x-understudy-switched": String(result.switched),
    ...(dropped.length === 0 ? {} : { "x-understudy-dropped": writeDropped(dropped) }),
  };
}

/**
 * The same of who goes on in an answer whose headers are out: comments in the stream, which clients pass over. No trailers: RFC 9110 section
 * 6.5.1 has them sent to who asked for them only, and no client of these protocols does.
 */
export function aboutSuccessor({ name, dropped }: TookOver): string {
  const about = [`x-understudy-continued-by=${escaped(name)}`];
  if (dropped.length > 0) about.push(`x-understudy-dropped=${writeDropped(dropped)}`);
  return about.map((line) => `: ${line}\n\n`).join("");
}

function writeDropped(dropped: readonly string[]): string {
  return escaped(dropped.join("; ").slice(0, droppedLimit));
}

/** For a header: no line breaks, nothing beyond ASCII. */
function escaped(text: string): string {
  return plain.test(text) ? text : encodeURI(text.toWellFormed());
}

/** What `encodeURI` leaves as it is. */
const plain = /^[\w\-.!~*'();/?:@&=+$,#]*$/;
