import { encode } from "uqr";
import { describe, expect, it } from "vitest";
import { mayShowAsQrCode, qrLines } from "../../src/cli/qr-code.ts";

const address = "https://auth.openai.com/codex/device";
const large = { columns: 120, rows: 40 };

/** The modules that lines of half blocks show, true for dark. What is drawn is light. */
function modules(lines: readonly string[]): boolean[][] {
  return lines.flatMap((line) => [
    Array.from(line).map((block) => block === " " || block === "▄"),
    Array.from(line).map((block) => block === " " || block === "▀"),
  ]);
}

describe("a QR code on the terminal", () => {
  it("shows every module of the address, dark as dark", async () => {
    const { data, size } = encode(address, { border: 2 });
    // An odd number of rows: the lower half of the last line is no part of it.
    expect(modules(await qrLines(address, large)).slice(0, size)).toEqual(data);
  });

  it.each([
    [33, 22, 17],
    [32, 22, 0],
    [33, 21, 0],
    [80, 24, 17],
    [0, 0, 0],
  ])("on a terminal of %i columns and %i rows takes %i lines", async (columns, rows, lines) => {
    expect(await qrLines(address, { columns, rows })).toHaveLength(lines);
  });

  it.each([
    [address, true],
    [`${address}?user_code=ABCD-EFGH`, true],
    ["https://login.example.com/device?code=ABCDEFGH", true],
    [`${address}?access_token=abc`, false],
    [`${address}?user_code=ABCD&state=1`, false],
    [`${address}?user_code=eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln`, false],
    [`${address}#token=abc`, false],
    ["https://ann:secret@login.example.com/device", false],
    ["javascript:alert(1)", false],
    ["no address", false],
  ])("%s may be shown: %s", (text, may) => {
    expect(mayShowAsQrCode(text)).toBe(may);
  });
});
