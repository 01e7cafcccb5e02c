/**
 * The cases of Hermes Agent beyond its classifier (those are in test/failures): pool (B), recovery and fallback (C), Responses transport (D),
 * resolution, configuration and commands (E), companions (F), sign-in (H). What goes in, what the peer asserts, what we do. A
 * difference on purpose needs a row in docs/differences-from-hermes.md that names the case. The score of all of them stands there.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { classifierScore } from "./classifier-score.ts";
import { commandCases } from "./command-cases.ts";
import { companionCases } from "./companion-cases.ts";
import { loginCases } from "./login-cases.ts";
import { countOf, type PeerCase, type Proof } from "./peer-case.ts";
import { poolCases } from "./pool-cases.ts";
import { recoveryCases } from "./recovery-cases.ts";
import { resolutionCases } from "./resolution-cases.ts";
import { sealedCases } from "./sealed-cases.ts";
import { addScores, emptyScore, type Score, scoreTable, toLine } from "./score.ts";
import { closeTheatre } from "./theatre.ts";
import { transportCases } from "./transport-cases.ts";
import { upstream } from "./upstream.ts";

const folder = join(import.meta.dirname, "..");
const differences = readFileSync(join(folder, "../docs/differences-from-hermes.md"), "utf8");

interface Group {
  /** As in the list of the peer's cases. */
  readonly letter: keyof typeof upstream;
  /** What they are about. */
  readonly title: string;
  /** Their sections in docs/differences-from-hermes.md. */
  readonly sections: readonly string[];
  readonly cases: readonly PeerCase[];
}

const groups: readonly Group[] = [
  { letter: "B", title: "credential pool", sections: ["Credential pool"], cases: poolCases },
  { letter: "C", title: "recovery and fallback", sections: ["Recovery and fallback"], cases: recoveryCases },
  {
    letter: "D",
    title: "Responses transport",
    sections: ["Responses transport"],
    cases: [...transportCases, ...sealedCases],
  },
  {
    letter: "E",
    title: "resolution, configuration, commands",
    sections: ["Resolution, configuration and the chain's commands"],
    cases: [...resolutionCases, ...commandCases],
  },
  { letter: "F", title: "companions", sections: ["Companions"], cases: companionCases },
  {
    letter: "H",
    title: "sign-in, accounts, models",
    sections: ["Sign-in, models and commands", "Logins and their pool"],
    cases: loginCases,
  },
];

/** As the cases say; a case whose proof fails falls short. */
const scores = new Map<string, Score>(
  groups.map(({ letter, cases }) => {
    const score = emptyScore();
    for (const { id, ours } of cases) score[ours.is] += countOf(id);
    return [letter, score];
  }),
);

describe.each(groups)("cases $letter of the peer: $title", ({ letter, sections, cases }) => {
  const score = scores.get(letter) ?? emptyScore();
  const named = namesIn(sections.map(sectionOf).join("\n"));

  it.each(cases.map((entry) => [`${entry.id}: ${entry.given} → ${entry.peer}`, entry] as const))(
    "%s",
    async (_, { id, ours }) => {
      if (ours.is === "not applicable") {
        expect(ours.why.length).toBeGreaterThan(20);
        return;
      }
      try {
        await prove(ours.proof);
      } catch (error) {
        score[ours.is] -= countOf(id);
        score["falls short"] += countOf(id);
        throw error;
      }
      if (ours.is === "better") expect(named, "docs/differences-from-hermes.md does not name it").toContain(id);
    },
  );

  it("are all there, each once", () => {
    expect(cases.map(({ id }) => id).sort()).toEqual([...upstream[letter]].sort());
  });

  it("are named among the differences only where there is one", () => {
    const differing = cases.flatMap(({ id, ours }) => (ours.is === "better" ? [id] : []));
    expect(named.filter((id) => !differing.includes(id))).toEqual([]);
  });
});

describe("the score", () => {
  const parts: [string, Score][] = [["A", classifierScore("A")], ...scores, ["S", classifierScore("S")]];
  const titles = new Map<string, string>([
    ["A", "failure classification"],
    ...groups.map(({ letter, title }) => [letter, title] as const),
    ["S", "soft failures"],
  ]);

  it("falls short nowhere", () => {
    for (const [letter, score] of parts)
      console.log(`Hermes cases ${letter} (${titles.get(letter) ?? ""}): ${toLine(score)}`);
    const total = addScores(parts.map(([, score]) => score));
    console.log(`Hermes cases in all: ${toLine(total)}`);
    expect(total["falls short"]).toBe(0);
  });

  it("stands at the top of docs/differences-from-hermes.md", () => {
    const rows = parts.map(([letter, score]) => [`${letter}, ${titles.get(letter) ?? ""}`, score] as const);
    expect(differences.split("\n## ")[0]).toContain(scoreTable(rows));
  });
});

afterAll(closeTheatre);

async function prove(proof: Proof): Promise<void> {
  if (typeof proof === "function") return proof();
  const text = readFileSync(join(folder, proof.file), "utf8").replaceAll(/"\s*\+\s*"/g, "");
  expect(text, `test/${proof.file} has no test of that title`).toContain(proof.title);
}

function sectionOf(title: string): string {
  const section = differences.split(`## ${title}\n`)[1]?.split("\n## ")[0];
  if (section === undefined) throw new Error(`docs/differences-from-hermes.md has no section ${title}`);
  return section;
}

/** The cases that stand in the first column of a table. */
function namesIn(section: string): string[] {
  return section.split("\n").flatMap((line) => /^\| ([^|]*) \|/.exec(line)?.[1]?.match(caseId) ?? []);
}

/** C11 among the sign-ins is the reference client's; its other cases are called R here. */
const caseId = /\b(?:HV1|Hj\d|[B-HR]\d+(?:–\d+)?)\b/g;
