import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectedOutcome, type Cell } from "./cells.ts";
import { MatrixStage } from "./matrix-stage.ts";
import { codeOf, scoreLine } from "./page.ts";
import { type CellResult, type Observation, observeCell, outcomeOf } from "./run-cell.ts";
import { describeBroken, faultsOf } from "./rules.ts";
import { planMatrix, runMatrix } from "./run-matrix.ts";
import { playScenarios } from "./stage-arena.ts";

const plan = await planMatrix();
const page = readFileSync(join(import.meta.dirname, "../../docs/fault-matrix.md"), "utf8");

/**
 * A part of the matrix that runs with every test: every fault inside an answer at every place, for each subject and for callers who
 * stream, with every byte sent by itself; and some of all others. One of two credentials is well.
 */
const inside: readonly Cell[] = plan.cells.filter(
  ({ shape, stream, credentials, targets }) =>
    stream && shape.place !== "before headers" && shape.fault !== "huge-event" && credentials === 2 && targets === 1,
);
const others: readonly Cell[] = plan.cells
  .filter((cell) => !inside.includes(cell) && cell.shape.fault !== "huge-event")
  .filter((_, index) => index % 97 === 0);

describe("the fault matrix, with every byte of every answer sent by itself", () => {
  let results: readonly CellResult[] = [];
  beforeAll(async () => {
    results = await runMatrix([...inside, ...others], { chunk: "byte" });
  }, 240_000);

  it("every cell comes out as it must, and every rule holds", () => {
    const broken = results.filter((result) => result.broken.length > 0 || result.got !== result.expected);
    expect(broken.map((result) => `${describeBroken(result)}\n    got ${result.got}`)).toEqual([]);
    expect(results.length).toBeGreaterThan(200);
  });

  it("with one usable candidate every turn is answered, none twice, and no cut answer passes as complete", () => {
    const count = (got: CellResult["got"]): number => results.filter((result) => result.got === got).length;
    const answerable = results.filter((result) => result.expected === "answered");
    expect(answerable.filter((result) => result.got === "answered")).toHaveLength(answerable.length);
    expect([count("truncated"), count("hung")]).toEqual([0, 0]);
    expect(results.flatMap(({ broken }) => broken.filter(({ rule }) => rule === "R3"))).toEqual([]);
  });

  it("is what docs/fault-matrix.md says", () => {
    for (const result of results) {
      const row = page.split("\n").filter((line) => line.startsWith(`| ${result.shape} | ${result.place} |`));
      const codes = row.join(" ").split(" | ");
      expect(codes, `${result.id}: write the page again`).toContain(codeOf(result));
    }
    expect(page).toContain(`${plan.cells.length} cells`);
  });
});

describe("the sixteen public scenarios", () => {
  it("end in no failure, over any protocol, and the page has their scores", async () => {
    for (const { subject, stream, verdicts } of await playScenarios()) {
      expect(verdicts).toHaveLength(16);
      expect(verdicts.filter(({ score }) => score === "fail")).toEqual([]);
      expect(page, subject).toContain(`| ${subject.replace("-key", "")}, ${stream ? "stream" : "whole"} | `);
      expect(page).toContain(scoreLine(verdicts));
      // What was passed on can't be taken back; everything else is rescued or given back to the caller on purpose.
      const safe = verdicts.flatMap(({ id, score }) => (score === "safe" ? [id] : []));
      expect(safe).toEqual(stream ? ["S08", "S09", "S12", "S14"] : ["S12"]);
    }
  }, 120_000);
});

describe("the judge of the matrix", () => {
  let stage: MatrixStage;
  beforeAll(async () => {
    stage = await MatrixStage.open();
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  const cellOf = (id: string): Cell => {
    const cell = plan.cells.find((one) => one.id === id);
    if (cell === undefined) throw new Error(`there is no cell ${id}`);
    return cell;
  };
  const judge = async (id: string, tamper: (seen: Observation) => Observation): Promise<string[]> => {
    const seen = await observeCell(stage, cellOf(id));
    if (seen === null) throw new Error("nothing came");
    expect(faultsOf(seen, outcomeOf(seen.first.reading)).broken).toEqual([]);
    const tampered = tamper(seen);
    return faultsOf(tampered, outcomeOf(tampered.first.reading)).broken.map(({ rule }) => rule);
  };
  const answered = "chat-key · stream · quota-exhausted · 2×1";
  const cut = "messages-key · stream · cut mid-text · 2×1";
  const failed = "responses-key · stream · unauthorized · 1×1";
  const first = (seen: Observation, change: Partial<Observation["first"]>): Observation => ({
    ...seen,
    first: { ...seen.first, ...change },
  });
  const reading = (seen: Observation, change: Partial<Observation["first"]["reading"]>): Observation =>
    first(seen, { reading: { ...seen.first.reading, ...change } });

  it.each<readonly [string, string, string, (seen: Observation) => Observation]>([
    ["an answer of two", "R3", answered, (seen) => reading(seen, { text: `${seen.first.reading.text} And more.` })],
    [
      "a turn that nobody answered",
      "R2",
      answered,
      (seen) => reading(seen, { kind: "error", told: "nobody on route" }),
    ],
    ["a cut answer passed as complete", "R3", cut, (seen) => reading(seen, { kind: "truncated", told: null })],
    ["an event after the end", "R3", answered, (seen) => reading(seen, { oddities: ["after the end"] })],
    [
      "a cooldown for who answered",
      "R4",
      answered,
      (seen) => ({ ...seen, cooldowns: seen.cooldowns.map((one) => ({ ...one, credentialId: "somebody else" })) }),
    ],
    ["a cooldown that became shorter", "R5", answered, (seen) => ({ ...seen, shortened: ["an hour became a minute"] })],
    ["a request to elsewhere", "R7", answered, (seen) => ({ ...seen, unplanned: 1 })],
    ["a secret in the answer", "R8", answered, (seen) => ({ ...seen, secrets: ["From k2"] })],
    ["a switch that was not told", "R10", answered, (seen) => first(seen, { events: withoutSwitches(seen) })],
    ["a call that the journal does not have", "R10", answered, (seen) => first(seen, { asked: ["k1", "k1", "k2"] })],
    ["an error that names nobody", "R12", failed, (seen) => reading(seen, { told: "nobody on route x could answer" })],
  ])("sees %s", async (_, rule, id, tamper) => {
    expect(await judge(id, tamper)).toContain(rule);
  });

  it("knows what must come out without asking the package", () => {
    expect(expectedOutcome(cellOf(answered))).toBe("answered");
    expect(expectedOutcome(cellOf(cut))).toBe("cut");
    expect(expectedOutcome(cellOf(failed))).toBe("failed");
    expect(expectedOutcome(cellOf("messages-key · whole · content-policy · 10×3"))).toBe("refused");
  });
});

function withoutSwitches({ first }: Observation): Observation["first"]["events"] {
  return first.events.filter((event) => event.type !== "switched");
}
