import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ChunkedBody } from "../../src/transport/chunked-body.ts";
import { readBytes, wholeChunks } from "../../src/transport/whole-chunks.ts";

const { incoming } = wholeChunks();

interface Told {
  readonly data: string;
  readonly isDone: boolean;
  readonly used: number;
  readonly fault: string | null;
}

/** Takes it apart piece by piece, as a connection does. `place`: where each piece lies while that is done. */
function takenApart(all: Buffer, cuts: readonly number[], place: (piece: Buffer) => Buffer): Told {
  const body = new ChunkedBody();
  let data = "";
  let used = 0;
  for (const [i, cut] of [...cuts, all.length].entries()) {
    const told = body.push(place(all.subarray(cuts[i - 1] ?? 0, cut)));
    data += Buffer.from(told.data).toString("latin1");
    used += told.used;
    if (told.fault !== null) return { data, isDone: body.isDone, used, fault: told.fault.message };
    if (body.isDone) break;
  }
  return { data, isDone: body.isDone, used, fault: null };
}

const elsewhere = (piece: Buffer): Buffer => Buffer.from(piece);
/** Where connections read to, behind a head of some length. */
const inPlace =
  (offset: number) =>
  (piece: Buffer): Buffer => {
    incoming.fill("\n");
    piece.copy(incoming, offset);
    return incoming.subarray(offset, offset + piece.length);
  };

const framed = (data: string, upper = false): string => {
  const size = data.length.toString(16);
  return `${upper ? size.toUpperCase() : size}\r\n${data}\r\n`;
};

describe("a chunked body", () => {
  it("is taken apart where connections read to as it is anywhere else", () => {
    const data = fc.oneof(
      fc.string({ minLength: 1, maxLength: 5 }),
      fc.string({ minLength: 10, maxLength: 40 }),
      fc.integer({ min: 1, max: 700 }).map((length) => "abcdefgh\r\n0123456".repeat(50).slice(0, length)),
    );
    const ascii = data.map((text) => text.replaceAll(/[^\r\n -~]/g, "?"));
    const piece = fc.oneof(
      { weight: 20, arbitrary: fc.tuple(ascii, fc.boolean()).map(([text, upper]) => framed(text, upper)) },
      ascii.map((text) => `${text.length.toString(16)};a=b\r\n${text}\r\n`),
      ascii.map((text) => `000${text.length.toString(16)}\r\n${text}\r\n`),
      ascii.map((text) => `00000${text.length.toString(16)}\r\n${text}\r\n`),
      ascii.map((text) => `${(text.length + 1).toString(16)}\r\n${text}\r\n`),
      fc.constantFrom(
        "0\r\n\r\n",
        "\r\n",
        "g\r\n",
        "5\n",
        "-1\r\n",
        "0\r\na: b\r\n\r\n",
        " 1\r\na\r\n",
        "fffff\r\n",
        "00000000001\r\na\r\n",
        "100000001\r\na\r\n",
      ),
    );
    let whole = 0;
    const runs = fc.property(
      fc.array(piece, { minLength: 1, maxLength: 25 }),
      fc.array(fc.nat(4_000), { maxLength: 3 }),
      fc.nat(90),
      (pieces, at, offset) => {
        const all = Buffer.from(`${pieces.join("")}0\r\n\r\n`, "latin1");
        const cuts = at.filter((cut) => cut <= all.length).sort((a, b) => a - b);
        const expected = takenApart(all, cuts, elsewhere);
        expect(takenApart(all, cuts, inPlace(offset))).toEqual(expected);
        if (expected.isDone && expected.data.length > 200) whole += 1;
      },
    );
    fc.assert(runs, { numRuns: 3_000 });
    expect(whole).toBeGreaterThan(100);
  });

  it("may fill all that is read at once", () => {
    for (const size of [1, 2, 15, 16, 17, 31, 32, 33, 1_000, 20_000]) {
      const text = "x".repeat(size - 1) + "y";
      const count = Math.floor(readBytes / framed(text).length);
      const all = Buffer.from(framed(text).repeat(count));
      const told = takenApart(all, [], inPlace(readBytes - all.length));
      expect(told).toEqual({ data: text.repeat(count), isDone: false, used: all.length, fault: null });
    }
  });

  it("has its whole chunks moved in one step", () => {
    const all = Buffer.from(framed("one").repeat(40));
    const bytes = inPlace(7)(all);
    const chunks = wholeChunks();
    expect(chunks.move(bytes, 8, 3)).toBe(all.length);
    expect(Buffer.from(bytes.subarray(3, chunks.movedTo)).toString()).toBe("one".repeat(39));
    expect(chunks.move(Buffer.from(all), 8, 3)).toBe(8);
  });
});
