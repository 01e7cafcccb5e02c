import { colors } from "./output.ts";

/** A terminal, as far as it matters here. 0 for what is not known. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Light modules around the code. The standard asks for 4; readers of today are content with 2, and rows are scarce. */
const border = 2;

/** Lines that should be seen together with the code: what is to be typed, and what is waited for. */
const linesBeside = 5;

/**
 * The lines that show `url` as a QR code, two rows of it per line, or none when the terminal is too small. With colours the code is
 * light on dark whatever the terminal's own colours are; without, light is drawn and dark is the background.
 */
export async function qrLines(url: string, { columns, rows }: TerminalSize): Promise<string[]> {
  const { renderUnicodeCompact } = await import("uqr");
  const lines = renderUnicodeCompact(url, { border }).split("\n");
  const width = Math.max(...lines.map((line) => line.length));
  if (columns < width || rows < lines.length + linesBeside) return [];
  return lines.map((line) => colors.whiteOnBlack(line));
}

/**
 * True for an address that may be held up to any camera: a web page whose only parameter may be the code that a person would type.
 * Whatever else stands in an address may be a token.
 */
export function mayShowAsQrCode(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  if (!["https:", "http:"].includes(url.protocol) || url.username + url.password + url.hash !== "") return false;
  return [...url.searchParams].every(([name, value]) => /^(user_?)?code$/i.test(name) && /^[\w-]{1,20}$/.test(value));
}
