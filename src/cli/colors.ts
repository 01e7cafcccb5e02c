/** Colours and weights for a terminal: ECMA-48, section 8.3.117. What stands in a coloured text may be coloured itself. */
export interface Colors {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly underline: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  /** Light on dark, whatever the terminal's own colours are. */
  readonly whiteOnBlack: Paint;
}

export type Paint = (text: string) => string;

/** Paints that leave every text as it is unless `isOn`. */
export function createColors(isOn: boolean): Colors {
  const paint = (open: number, close: number): Paint => {
    if (!isOn) return (text) => text;
    const [before, after] = [`\u001b[${open}m`, `\u001b[${close}m`];
    // What ends inside ends this one, too: it begins again. Bold and dim end with the same code, which is why that code stays.
    return (text) => before + text.replaceAll(after, close === 22 ? after + before : before) + after;
  };
  const [white, onBlack] = [paint(97, 39), paint(40, 49)];
  return {
    bold: paint(1, 22),
    dim: paint(2, 22),
    underline: paint(4, 24),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
    whiteOnBlack: (text) => onBlack(white(text)),
  };
}
