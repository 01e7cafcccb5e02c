import { cleanMessage } from "../failures/clean-message.ts";
import { isTerminal } from "../platform/is-terminal.ts";
import { type Colors, createColors } from "./colors.ts";
import { writeText } from "./standard-streams.ts";

/** Colours for prose on standard error, and for data on standard output: only on a terminal, and not with NO_COLOR. */
export const colors: Colors = createColors(hasColors(2));
export const dataColors: Colors = createColors(hasColors(1));

function hasColors(descriptor: 1 | 2): boolean {
  return isTerminal(descriptor) && (process.env["NO_COLOR"] ?? "") === "" && process.env["TERM"] !== "dumb";
}

/** Data: to standard output, as one or more lines. */
export function printLines(...lines: readonly string[]): void {
  for (const line of lines) writeText(1, `${withoutControls(line)}\n`);
}

/** Data as JSON: to standard output, indented for people and just as good for programs. */
export function printJson(value: unknown): void {
  writeText(1, `${JSON.stringify(value, null, 2)}\n`);
}

/** Text of a model, as it comes. What could steer a terminal is taken out where one is listening. */
export function printText(text: string): void {
  writeText(1, isTerminal(1) ? forTerminal(text) : text);
}

/** Text that is not ours without all that a terminal would obey. No colour in it is ours: one of them hides all that follows. */
export function forTerminal(text: string): string {
  return withoutControls(text.replaceAll("\u001b", ""));
}

/** Prose: to standard error. */
export function say(...lines: readonly string[]): void {
  for (const line of lines) writeText(2, `${withoutControls(line)}\n`);
}

/**
 * Labels and messages come from elsewhere. Of all control characters only line breaks, tabs and the colours that we wrote
 * ourselves reach a terminal.
 */
function withoutControls(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  return text.replaceAll(/\u001b(?!\[[\d;]*m)|[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f]/g, "");
}

/** The text without what looks like a secret, line by line: for words that we did not choose. */
export function scrubLines(text: string): string {
  return text
    .split("\n")
    .map((line) => `${/^\s*/.exec(line)?.[0] ?? ""}${cleanMessage(line)}`)
    .join("\n");
}

/** Rows as text whose columns stand below each other. The last column is not padded. */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, widthOf(cell));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell + " ".repeat((widths[i] ?? 0) - widthOf(cell))))
      .join("  ")
      .trimEnd(),
  );
}

function widthOf(text: string): number {
  return Array.from(text).length;
}

/** For JSON: ISO 8601, or null. Times too far away for a date are null, too. */
export function isoTime(unixMs: number | null | undefined): string | null {
  if (unixMs == null) return null;
  const date = new Date(unixMs);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

export { shellWord } from "../core/shell-word.ts";
