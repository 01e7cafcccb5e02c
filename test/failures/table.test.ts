import { describe, expect, it } from "vitest";
import { classifyFailure, unmatchedRow } from "../../src/failures/classify.ts";
import { rankOf } from "../../src/failures/match.ts";
import type { Row } from "../../src/failures/row.ts";
import { failureTable } from "../../src/failures/table.ts";
import { evidenceOf, type Fixture, fixtures, receivedAt } from "./fixture.ts";

function verdict(fixture: Fixture, rows: readonly Row[] = failureTable) {
  const { row, reason, scope, next, retryAt, reloginRequired } = classifyFailure(evidenceOf(fixture), {
    now: receivedAt,
    rows,
  });
  return {
    row,
    reason,
    scope,
    next,
    ...(retryAt !== undefined && { retryAt: new Date(retryAt).toISOString() }),
    ...(reloginRequired && { reloginRequired }),
  };
}

/** The verdict without the name of the row that gave it. */
function meaning(fixture: Fixture, rows: readonly Row[]): string {
  return JSON.stringify({ ...verdict(fixture, rows), row: "" });
}

describe("the failure table", () => {
  it.each(fixtures.map((fixture) => [fixture.file, fixture] as const))("classifies %s", (_file, fixture) => {
    expect(verdict(fixture)).toEqual(fixture.expect);
  });

  it("gives every row a name of its own in kebab-case", () => {
    const names = failureTable.map((row) => row.name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z0-9]+(?:-[a-z0-9]+)*$/);
  });

  it("proves every row with a fixture that the row decides", () => {
    const unproven = failureTable.filter(
      ({ name, fixture }) => fixtures.find(({ file }) => file === fixture)?.expect.row !== name,
    );
    expect(unproven.map((row) => row.name)).toEqual([]);
  });

  it("keeps no fixture that names a row which is gone", () => {
    const names = new Set([...failureTable.map((row) => row.name), unmatchedRow]);
    expect(fixtures.filter((fixture) => !names.has(fixture.expect.row)).map((fixture) => fixture.file)).toEqual([]);
  });

  it("gives every row a source", () => {
    expect(failureTable.filter((row) => row.source.trim().length < 8)).toEqual([]);
  });

  it("asks words only after everything that is made for machines", () => {
    const worded = failureTable.filter((row) => row.match.message !== undefined);
    for (const row of worded) {
      const { code, type, headers } = row.match;
      const structured = (code ?? type ?? headers) !== undefined;
      expect([row.name, rankOf(row)]).toEqual([
        row.name,
        structured ? rankOf({ ...row, match: { code, type, headers } }) : row.fallback ? "fallback" : "words",
      ]);
    }
  });

  it("never takes a 429 for a login problem", () => {
    for (const row of failureTable.filter((row) => row.reason === "auth" || row.reason === "relogin_required")) {
      const { status } = row.match;
      const fits429 =
        status === undefined || ("from" in status ? status.from <= 429 && status.to >= 429 : status.includes(429));
      expect([row.name, fits429 && row.fallback !== true]).toEqual([row.name, false]);
    }
  });
});

describe("a table without one of its rows", () => {
  it.each(failureTable.map((row) => [row.name, row] as const))(
    "gives another verdict on some fixture: %s",
    (_name, row) => {
      const rows = failureTable.filter((other) => other !== row);
      const changed = fixtures.filter((fixture) => meaning(fixture, failureTable) !== meaning(fixture, rows));
      expect(changed.length).toBeGreaterThan(0);
    },
  );
});
