import { afterEach, expect, it, vi } from "vitest";
import { printText } from "../../src/cli/output.ts";

vi.mock("node:tty", () => ({ isatty: () => true }));
afterEach(() => vi.restoreAllMocks());

it("leaves nothing of a model's text that a terminal would obey, colours included", () => {
  const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  printText("a\u001b[8mhidden\u001b[0m\u001b]0;title\u0007\u009b31m\rb\n\tc");
  expect(write.mock.calls).toEqual([["a[8mhidden[0m]0;title31mb\n\tc"]]);
});
