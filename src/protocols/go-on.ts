/**
 * What a model is told that has to go on from another's words and can't be given them as the beginning of its own answer. The rule is
 * in `docs/decisions/010-going-on-after-a-cut.md`.
 */
export const goOnInstruction: string = [
  "Your answer above broke off: the connection was lost while it was being written, and the reader already has every character of it.",
  "Go on at exactly the place where it stops, if need be in the middle of a word or a line.",
  "Repeat nothing of it, and write nothing about this interruption.",
].join(" ");
