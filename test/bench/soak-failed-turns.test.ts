import { expect, test } from "vitest";
import { judgeFailedTurn, type RouteCandidate } from "../../bench/soak-failed-turns.ts";
import type { AttemptRecord, TurnOutcome, TurnRecord } from "../../src/core/events.ts";
import type { Scope } from "../../src/core/failure.ts";

const candidates: readonly RouteCandidate[] = [
  { provider: "keys", model: "m", credentialId: "a" },
  { provider: "keys", model: "m", credentialId: "b" },
  { provider: "spare", model: "n", credentialId: "c" },
];

function attempt(
  credentialId: string,
  endedAt: number,
  restsUntil: number,
  scope: Scope = "credential",
): AttemptRecord {
  const { provider = "", model = "" } = candidates.find((one) => one.credentialId === credentialId) ?? {};
  return {
    candidate: { provider, model, credential: { id: credentialId, label: credentialId } },
    startedAt: endedAt - 1,
    endedAt,
    called: true,
    restsUntil,
    failure: { reason: "rate_limit", scope, next: "next_credential", row: "429", message: "", reloginRequired: false },
    decision: null,
  };
}

function turn(id: string, attempts: readonly AttemptRecord[], outcome: TurnOutcome = "failed"): TurnRecord {
  return { id, route: "r", startedAt: 90, endedAt: 100, outcome, attempts, usage: null };
}

const judge = (...journal: TurnRecord[]) => judgeFailedTurn("failed", journal, () => candidates).hadUsable;

test("a turn that tried everybody had nobody left", () => {
  expect(judge(turn("failed", [attempt("a", 95, 200), attempt("b", 96, 200), attempt("c", 97, 200)]))).toBe(false);
});

test("somebody who was not tried and did not rest was left", () => {
  expect(judge(turn("failed", [attempt("a", 95, 200), attempt("b", 96, 200)]))).toBe(true);
});

test("whom another turn's failure kept resting was not left", () => {
  const failed = turn("failed", [attempt("a", 95, 200), attempt("b", 96, 200)]);
  expect(judge(failed, turn("other", [attempt("c", 50, 150)], "answered"))).toBe(false);
  expect(judge(failed, turn("other", [attempt("c", 50, 99)], "answered"))).toBe(true);
  expect(judge(failed, turn("later", [attempt("c", 101, 150)], "answered"))).toBe(true);
});

test("a model or a provider that rests keeps all its credentials from serving", () => {
  for (const scope of ["model", "provider"] as const) {
    expect(judge(turn("failed", [attempt("a", 95, 200, scope), attempt("c", 97, 200)]))).toBe(false);
  }
});

test("what the journal does not know, or holds for answered, is never excused", () => {
  expect(judge(turn("other", []))).toBe(true);
  expect(judge(turn("failed", [], "answered"))).toBe(true);
});
