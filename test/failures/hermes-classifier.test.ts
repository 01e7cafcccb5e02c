/**
 * The classifier cases of Hermes Agent (tests/agent/test_error_classifier.py, v0.18, and what of its companion files
 * concerns classification): what goes in, what the peer asserts, and what this table answers. A difference needs a row in
 * docs/differences-from-hermes.md that names the case.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { classifyFailure } from "../../src/failures/classify.ts";
import { receivedAt } from "./fixture.ts";
import { type Case, judge, notApplicable } from "./hermes-cases.ts";
import { companionCases } from "./hermes-companion-cases.ts";
import { statusCases } from "./hermes-status-cases.ts";
import { wordsCases } from "./hermes-words-cases.ts";

const cases: readonly Case[] = [...statusCases, ...wordsCases, ...companionCases];
const differences = readFileSync(join(import.meta.dirname, "../../docs/differences-from-hermes.md"), "utf8");
const section = differences.split("## Failure classification")[1]?.split("\n## ")[0] ?? "";

const score = { same: 0, better: 0, notApplicable: notApplicable.length, fallsShort: 0 };

describe("cases of the peer's classifier", () => {
  it.each(cases.map((entry) => [entry.id, entry] as const))("%s", (id, entry) => {
    const ours = classifyFailure(entry.evidence, { now: receivedAt });
    const misses = judge(entry, ours);
    const isSame = misses.length === 0;
    if (isSame) score.same += 1;
    else if (entry.better === undefined) score.fallsShort += 1;
    else score.better += 1;

    if (entry.better === undefined) {
      expect(misses, `${id} ${entry.title}: ${ours.reason}/${ours.scope}/${ours.next} by ${ours.row}`).toEqual([]);
    } else {
      expect(isSame, `${id} is said to differ, but does not`).toBe(false);
      expect(ours).toMatchObject(entry.better);
      expect(section, `docs/differences-from-hermes.md does not name ${id}`).toMatch(new RegExp(`\\b${id}\\b`));
    }
  });

  it("has an id of its own for every case, and a reason for every case left out", () => {
    const ids = [...cases.map((entry) => entry.id), ...notApplicable.map((entry) => entry.id)];
    expect(new Set(ids).size).toBe(ids.length);
    for (const { why } of notApplicable) expect(why.length).toBeGreaterThan(20);
  });

  it("names no case in the differences that does not differ", () => {
    const differing = new Set(cases.filter((entry) => entry.better !== undefined).map((entry) => entry.id));
    const named = section.match(/\b[AFS]\d+\b/g) ?? [];
    expect(named.filter((id) => !differing.has(id))).toEqual([]);
  });

  afterAll(() => {
    const { same, better, fallsShort } = score;
    console.log(
      `Hermes classifier cases: ${same} same, ${better} better on purpose, ${score.notApplicable} not applicable, ${fallsShort} fall short`,
    );
    expect(fallsShort).toBe(0);
  });
});
