/** How a case of the peer's tests comes out here. */
export type Verdict =
  /** We do what the peer asserts. */
  | { readonly is: "same"; readonly proof: Proof }
  /** We do something else on purpose; why stands in docs/differences-from-hermes.md. */
  | { readonly is: "better"; readonly proof: Proof }
  /** There is nothing here that the case could be about. */
  | { readonly is: "not applicable"; readonly why: string };

/** What shows it: a check that throws, or a test that stands elsewhere, by its file under `test/` and a part of its title. */
export type Proof = (() => void | Promise<void>) | Linked;

export interface Linked {
  readonly file: string;
  readonly title: string;
}

export interface PeerCase {
  /** As in the list of the peer's cases: a letter and a number, or a range of them. */
  readonly id: string;
  readonly given: string;
  /** What the peer asserts. */
  readonly peer: string;
  readonly ours: Verdict;
}

export function same(id: string, given: string, peer: string, proof: Proof): PeerCase {
  return { id, given, peer, ours: { is: "same", proof } };
}

export function better(id: string, given: string, peer: string, proof: Proof): PeerCase {
  return { id, given, peer, ours: { is: "better", proof } };
}

/** Several cases that are not applicable for one reason: each with its id, what goes in, and what the peer asserts. */
export function notApplicable(why: string, ...rows: readonly (readonly [string, string, string])[]): PeerCase[] {
  return rows.map(([id, given, peer]) => ({ id, given, peer, ours: { is: "not applicable", why } }));
}

/** A test that proves it already. */
export function shownBy(file: string, title: string): Linked {
  return { file, title };
}

/** How many of the peer's cases an id stands for: `B22–28` are seven. */
export function countOf(id: string): number {
  const [from, to] = id
    .replaceAll(/[A-Za-z]/g, "")
    .split("–")
    .map(Number);
  return to === undefined || from === undefined ? 1 : to - from + 1;
}
