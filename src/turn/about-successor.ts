import type { TookOver } from "./continuation.ts";

/** Longest list of what was dropped that goes into a header, in characters before escaping. */
const droppedLimit = 1_000;

/**
 * What a caller is told of who goes on in an answer whose headers are out: comments in the stream, which clients pass over. No trailers: RFC 9110 section
 * 6.5.1 has them sent to who asked for them only, and no client of these protocols does.
 */
export function aboutSuccessor({ name, dropped }: TookOver): string {
  const about = [`x-understudy-continued-by=${escaped(name)}`];
  if (dropped.length > 0) about.push(`x-understudy-dropped=${writeDropped(dropped)}`);
  return about.map((line) => `: ${line}\n\n`).join("");
}

/** What could not be carried, for a header. */
export function writeDropped(dropped: readonly string[]): string {
  return escaped(dropped.join("; ").slice(0, droppedLimit));
}

/** For a header: no line breaks, nothing beyond ASCII. */
export function escaped(text: string): string {
  return plain.test(text) ? text : encodeURI(text.toWellFormed());
}

/** What `encodeURI` leaves as it is. */
const plain = /^[\w\-.!~*'();/?:@&=+$,#]*$/;
