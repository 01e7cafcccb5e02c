import { formatTarget } from "../core/target.ts";
import { escaped, writeDropped } from "./about-successor.ts";
import type { TurnResult } from "./run-turn.ts";

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
