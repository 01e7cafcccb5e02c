import type { QrView } from "./view.ts";

/** Draws `text` as a QR code. The library is loaded when the first one is asked for. */
export async function drawQrCode(text: string): Promise<QrView> {
  const { encode } = await import("uqr");
  const { data, size } = encode(text, { ecc: "L", border: 2 });
  const runs = data.flatMap((row, y) => [...toRuns(row)].map(([x, width]) => `M${x} ${y}h${width}v1h-${width}z`));
  return { size, path: runs.join("") };
}

/** Where dark runs begin and how long they are. */
function* toRuns(row: readonly boolean[]): Generator<[number, number]> {
  for (let x = 0; x < row.length; x += 1) {
    if (row[x] !== true) continue;
    const begin = x;
    while (row[x + 1] === true) x += 1;
    yield [begin, x - begin + 1];
  }
}
