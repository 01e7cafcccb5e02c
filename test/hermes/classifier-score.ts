import { classifyFailure } from "../../src/failures/classify.ts";
import { receivedAt } from "../failures/fixture.ts";
import { type Case, judge, notApplicable } from "../failures/hermes-cases.ts";
import { companionCases } from "../failures/hermes-companion-cases.ts";
import { statusCases } from "../failures/hermes-status-cases.ts";
import { wordsCases } from "../failures/hermes-words-cases.ts";
import { emptyScore, type Score } from "./score.ts";

/** How the cases of the classifier with this letter come out; test/failures/hermes-classifier.test.ts holds each of them. */
export function classifierScore(letter: "A" | "S"): Score {
  const isMeant = ({ id }: { id: string }): boolean => id.startsWith(letter);
  const score = emptyScore();
  const cases: readonly Case[] = [...statusCases, ...wordsCases, ...companionCases];
  for (const entry of cases.filter(isMeant)) {
    const misses = judge(entry, classifyFailure(entry.evidence, { now: receivedAt }));
    score[misses.length === 0 ? "same" : entry.better === undefined ? "falls short" : "better"] += 1;
  }
  score["not applicable"] = notApplicable.filter(isMeant).length;
  return score;
}
