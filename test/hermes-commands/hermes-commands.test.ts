/**
 * The cases of Hermes Agent's tests that concern signing in, models and commands: what is done, what the peer asserts, and what is seen
 * here. A difference needs a row in docs/differences-from-hermes.md that names the case.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openCliStage } from "../cli/rig.ts";
import { commandCases } from "./command-cases.ts";
import { leftOutCases } from "./left-out-cases.ts";
import { modelCases } from "./model-cases.ts";
import { signInCases } from "./sign-in-cases.ts";

const cases = [...signInCases, ...modelCases, ...commandCases];
const document = readFileSync(join(import.meta.dirname, "../../docs/differences-from-hermes.md"), "utf8");
const section = document.split("## Sign-in, models and commands")[1]?.split("\n## ")[0] ?? "";
/** The rows of the table; what stands above it is explanation. */
const rows = section
  .split("\n")
  .filter((line) => /^\| (?:H|C)\d/.test(line))
  .join("\n");
const named = (text: string): string[] => text.match(/\b(?:H|C|HV)\d+\b/g) ?? [];

describe("cases of the peer's sign-in, models and commands", () => {
  it.each(cases)("$id: $title", async ({ play, ours }) => {
    await using stage = await openCliStage();
    expect(await play(stage)).toEqual(ours);
    expect(stage.simulator.unplanned).toEqual([]);
  });

  it("stand in the document where they differ, and only there", () => {
    const differing = cases.filter(({ differs }) => differs === true);
    for (const { id } of differing)
      expect(named(rows), `docs/differences-from-hermes.md does not name ${id}`).toContain(id);
    const allowed = new Set(differing.flatMap(({ id, title, peer }) => [id, ...named(title), ...named(peer)]));
    expect(named(rows).filter((id) => !allowed.has(id))).toEqual([]);
  });

  it("have an id each, and a reason where they are left out", () => {
    const ids = [...cases.map(({ id }) => id), ...leftOutCases.flatMap((one) => one.ids)];
    expect(new Set(ids).size).toBe(ids.length);
    for (const { why } of leftOutCases) expect(why.length).toBeGreaterThan(30);
    for (const { peer } of cases) expect(peer.length).toBeGreaterThan(15);
  });

  afterAll(() => {
    const differing = cases.filter(({ differs }) => differs === true).length;
    const leftOut = leftOutCases.reduce((count, { ids }) => count + ids.length, 0);
    console.log(
      `Hermes command cases: ${cases.length - differing} same, ${differing} different on purpose, ${leftOut} left out`,
    );
  });
});
