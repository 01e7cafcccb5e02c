/** What one check came to. */
export interface Finding {
  /** What was looked at, in a word or two. */
  readonly check: string;
  /** `warning`: it works, and something should be known. `broken`: something does not work. `mended`: it was, until just now. */
  readonly state: "ok" | "warning" | "broken" | "mended";
  /** One line. */
  readonly words: string;
  /** The one command that helps, or null. */
  readonly command: string | null;
}

export function finding(check: string, state: Finding["state"], words: string, command: string | null = null): Finding {
  return { check, state, words, command };
}
