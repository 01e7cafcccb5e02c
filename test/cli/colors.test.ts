import { expect, it } from "vitest";
import { createColors } from "../../src/cli/colors.ts";

it("begins a colour again where one inside it ends", () => {
  const { bold, dim, red, green } = createColors(true);
  expect(red(`a ${green("b")} c`)).toBe("\u001b[31ma \u001b[32mb\u001b[31m c\u001b[39m");
  expect(bold(`a ${dim("b")} c`)).toBe("\u001b[1ma \u001b[2mb\u001b[22m\u001b[1m c\u001b[22m");
});

it("leaves a text as it is where there are no colours", () => {
  for (const paint of Object.values(createColors(false))) expect((paint as (text: string) => string)("a")).toBe("a");
});
