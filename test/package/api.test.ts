import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { apiReportPath, renderApiReport } from "../../scripts/write-api-report.ts";

it("docs/api.txt is what the package exports: node scripts/write-api-report.ts", () => {
  expect(readFileSync(apiReportPath, "utf8")).toBe(renderApiReport());
});
