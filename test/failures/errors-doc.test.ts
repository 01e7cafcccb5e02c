import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { errorsDocPath, renderErrorsDoc } from "../../scripts/write-errors-doc.ts";
import { failureTable } from "../../src/failures/table.ts";

describe("docs/errors.md", () => {
  it("is what the table gives: run `node scripts/write-errors-doc.ts` after a change", () => {
    expect(readFileSync(errorsDocPath, "utf8")).toBe(renderErrorsDoc(failureTable));
  });

  it("has a line for every row", () => {
    const page = renderErrorsDoc(failureTable);
    for (const { name } of failureTable) expect(page).toContain(`\n| \`${name}\` |`);
  });

  it("changes with the table", () => {
    expect(renderErrorsDoc(failureTable.slice(1))).not.toBe(renderErrorsDoc(failureTable));
  });
});
