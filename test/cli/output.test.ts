import { expect, it } from "vitest";
import { forTerminal } from "../../src/cli/output.ts";

it("leaves nothing of a model's text that a terminal would obey, colours included", () => {
  const text = "a\u001b[8mhidden\u001b[0m\u001b]0;title\u0007\u009b31m\rb\n\tc";
  expect(forTerminal(text)).toBe("a[8mhidden[0m]0;title31mb\n\tc");
});
