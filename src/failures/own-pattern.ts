import { longestOwnTestedText } from "./row.ts";

/** A pattern in the configuration is at most this long, in characters. */
export const longestOwnPattern = 500;

/** Steps from one place of a text on in all ways to match. With `longestOwnTestedText` places a test takes a second at worst. */
const mostSteps = 40_000;

const quick = "a regular expression that is quick on any text: one endless repeat at most, .{0,50} in place of others";

/** A pattern of a user's, or what it should have been instead, in words that follow "expected". */
export type OwnPattern =
  | { readonly ok: true; readonly pattern: RegExp }
  | { readonly ok: false; readonly expected: string };

/**
 * Reads a pattern that a person wrote. Upper and lower case are the same to it. Refused are:
 *
 * - what is no regular expression, or longer than `longestOwnPattern`;
 * - what matches an empty text, since that matches every text;
 * - what may take long on some text. JavaScript's regular expressions try every way to match, and a provider chooses the text.
 *   So the ways are counted, and the steps of all of them: a repeat has as many ways as it may repeat, the ways of what follows each
 *   other multiply, and each way takes the steps of what follows anew; what stands side by side (`|`) adds. An endless repeat (`*`, `+`,
 *   `{2,}`) counts `longestOwnTestedText`; of something that itself can match in several ways it is refused, and so are references
 *   back. The count is above the truth, never below it.
 */
export function parseOwnPattern(text: string): OwnPattern {
  if (text.length > longestOwnPattern) return { ok: false, expected: `at most ${longestOwnPattern} characters` };
  let pattern: RegExp;
  try {
    pattern = new RegExp(text, "i");
  } catch {
    return { ok: false, expected: "a regular expression" };
  }
  if (new StepCounter(text).count() > mostSteps) return { ok: false, expected: quick };
  if (pattern.test("")) return { ok: false, expected: "a regular expression that does not match every text" };
  return { ok: true, pattern };
}

/** What a piece of a pattern costs: in how many ways it may match from one place on, and the steps of all of them together. */
interface Cost {
  readonly ways: number;
  readonly steps: number;
}

const nothing: Cost = { ways: 1, steps: 0 };
const tooMuch: Cost = { ways: Number.POSITIVE_INFINITY, steps: Number.POSITIVE_INFINITY };

/** One after the other: each way of the first is followed by all steps of the second. */
function sequence(first: Cost, second: Cost): Cost {
  // Not `0 * Infinity`, which is no number.
  const again = second.steps === 0 ? 0 : first.ways * second.steps;
  return { ways: first.ways * second.ways, steps: first.steps + again };
}

/**
 * Counts the steps, reading from left to right. Only for what `RegExp` has accepted: it looks at nothing but groups, classes, escapes,
 * bars and repeats.
 */
class StepCounter {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  count(): number {
    let cost = this.#alternatives();
    // A closing bracket too many can't be: RegExp would have refused it.
    while (this.#at < this.#text.length) cost = sequence(cost, this.#alternatives());
    return cost.steps;
  }

  #alternatives(): Cost {
    const all: Cost[] = [];
    let cost = nothing;
    while (this.#at < this.#text.length && this.#text[this.#at] !== ")") {
      if (this.#text[this.#at] === "|") {
        this.#at += 1;
        all.push(cost);
        cost = nothing;
      } else {
        cost = sequence(cost, this.#repeated(this.#atom()));
      }
    }
    return all.reduce((sum, { ways, steps }) => ({ ways: sum.ways + ways, steps: sum.steps + steps }), cost);
  }

  /** Goes over one atom; gives its cost. */
  #atom(): Cost {
    const rest = this.#text.slice(this.#at);
    const group = /^\((?:\?(?:[:=!]|<[=!]|<[^>]*>))?/.exec(rest);
    if (group !== null) {
      this.#at += group[0].length;
      const { ways, steps } = this.#alternatives();
      this.#at += 1;
      return { ways, steps: steps + 1 };
    }
    if (/^\\(?:[1-9]|k<)/.test(rest)) {
      this.#at += 2;
      return tooMuch;
    }
    const [atom = " "] = /^(?:\[(?:\\[^]|[^\]\\])*\]|\\[^]|[^])/.exec(rest) ?? [];
    this.#at += atom.length;
    return { ways: 1, steps: 1 };
  }

  /** The cost of an atom with the repeat behind it, if one is there. */
  #repeated(atom: Cost): Cost {
    const [written, sign, from, comma, to] =
      /^(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/.exec(this.#text.slice(this.#at)) ?? [];
    if (written === undefined) return atom;
    this.#at += written.length;
    const least = sign === undefined ? Number(from) : sign === "+" ? 1 : 0;
    const most =
      sign === "?"
        ? 1
        : sign !== undefined || (comma !== "" && to === "")
          ? longestOwnTestedText
          : Number(to === "" ? from : to);
    if (atom.ways === 1) return { ways: most - least + 1, steps: most * atom.steps };
    if (most >= longestOwnTestedText) return tooMuch;
    let ways = 0;
    let path = nothing;
    for (let times = 0; times <= most && path.steps <= mostSteps; times++) {
      if (times >= least) ways += path.ways;
      if (times < most) path = sequence(path, atom);
    }
    return { ways, steps: path.steps };
  }
}
