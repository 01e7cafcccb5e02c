import { longestOwnTestedText } from "./row.ts";

/** A pattern in the configuration is at most this long, in characters. */
export const longestOwnPattern = 500;

/** In how many ways a pattern may match from one place on. With `longestOwnTestedText` places a test takes tenths of a second at worst. */
const mostWays = 20_000;

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
 *   So the ways are counted: a repeat counts as often as it may repeat, what follows each other multiplies, what stands
 *   side by side (`|`) adds. An endless repeat (`*`, `+`, `{2,}`) counts `longestOwnTestedText`; of something that itself can match in
 *   several ways it is refused, and so are references back. The count is above the truth, never below it.
 */
export function parseOwnPattern(text: string): OwnPattern {
  if (text.length > longestOwnPattern) return { ok: false, expected: `at most ${longestOwnPattern} characters` };
  let pattern: RegExp;
  try {
    pattern = new RegExp(text, "i");
  } catch {
    return { ok: false, expected: "a regular expression" };
  }
  if (new WayCounter(text).count() > mostWays) return { ok: false, expected: quick };
  if (pattern.test("")) return { ok: false, expected: "a regular expression that does not match every text" };
  return { ok: true, pattern };
}

/**
 * Counts the ways, reading from left to right. Only for what `RegExp` has accepted: it looks at nothing but groups, classes, escapes,
 * bars and repeats.
 */
class WayCounter {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  count(): number {
    let ways = this.#alternatives();
    // A closing bracket too many can't be: RegExp would have refused it.
    while (this.#at < this.#text.length) ways *= this.#alternatives();
    return ways;
  }

  #alternatives(): number {
    let sum = 0;
    let product = 1;
    while (this.#at < this.#text.length && this.#text[this.#at] !== ")") {
      if (this.#text[this.#at] === "|") {
        this.#at += 1;
        sum += product;
        product = 1;
      } else {
        product *= this.#repeated(this.#atom());
      }
    }
    return sum + product;
  }

  /** Steps over one atom; gives its ways. */
  #atom(): number {
    const rest = this.#text.slice(this.#at);
    const group = /^\((?:\?(?:[:=!]|<[=!]|<[^>]*>))?/.exec(rest);
    if (group !== null) {
      this.#at += group[0].length;
      const ways = this.#alternatives();
      this.#at += 1;
      return ways;
    }
    if (/^\\(?:[1-9]|k<)/.test(rest)) {
      this.#at += 2;
      return Number.POSITIVE_INFINITY;
    }
    const [atom = " "] = /^(?:\[(?:\\[^]|[^\]\\])*\]|\\[^]|[^])/.exec(rest) ?? [];
    this.#at += atom.length;
    return 1;
  }

  /** The ways of an atom with the repeat behind it, if one is there. */
  #repeated(ways: number): number {
    const [written, sign, from, comma, to] =
      /^(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/.exec(this.#text.slice(this.#at)) ?? [];
    if (written === undefined) return ways;
    this.#at += written.length;
    const least = sign === undefined ? Number(from) : sign === "+" ? 1 : 0;
    const most =
      sign === "?"
        ? 1
        : sign !== undefined || (comma !== "" && to === "")
          ? longestOwnTestedText
          : Number(to === "" ? from : to);
    if (ways === 1) return most - least + 1;
    if (most >= longestOwnTestedText) return Number.POSITIVE_INFINITY;
    let sum = 0;
    for (let times = least; times <= most && sum <= mostWays; times++) sum += ways ** times;
    return sum;
  }
}
