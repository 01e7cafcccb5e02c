import type { Target } from "../core/target.ts";
import type { Credential } from "../credentials/credential.ts";

/** One candidate of a turn: a credential on a target. */
export interface LineCandidate {
  readonly target: Target;
  readonly credential: Credential;
}

/** Credentials, best first; who comes later may only be found out when somebody asks for them. */
export interface InOrder {
  /** Counted from 0; undefined past the last. */
  at(index: number): Credential | undefined;
}

/** Takes credentials from `source` as they are asked for, and keeps them. */
export function taken(source: Iterator<Credential, undefined>): InOrder {
  const kept: Credential[] = [];
  let isOver = false;
  return {
    at(index) {
      while (kept.length <= index && !isOver) {
        const next = source.next();
        if (next.done === true) isOver = true;
        else kept.push(next.value);
      }
      return kept[index];
    },
  };
}

interface Group {
  readonly target: Target;
  readonly credentials: InOrder;
  /** How many of them have been tried. */
  readonly from?: number;
}

/** Who is left is counted no further than this: what is decided by it is whether anybody is. */
export const countedAtMost = 10;

/**
 * The candidates of one turn, in the order in which they are tried. Immutable: each step gives the next line.
 *
 * The first group is the current target with the credentials left of it, the first of which is being tried. A target
 * that is left with credentials untried goes to the end of the line, so that nobody is forgotten (rule R2).
 */
export class Line {
  readonly #groups: readonly Group[];

  constructor(groups: readonly Group[]) {
    this.#groups = groups.every(hasHead) ? groups : groups.filter(hasHead);
  }

  /** Who is being tried; null when nobody is left. */
  get current(): LineCandidate | null {
    const group = this.#groups[0];
    if (group === undefined) return null;
    const credential = headOf(group);
    return credential === undefined ? null : { target: group.target, credential };
  }

  /** Everybody left, in order. */
  get all(): LineCandidate[] {
    return this.#groups.flatMap((group) =>
      Array.from(restOf(group), (credential) => ({ target: group.target, credential })),
    );
  }

  get targets(): Target[] {
    return this.#groups.map(({ target }) => target);
  }

  /** Those behind the current one, in order, of each target at most `countedAtMost`. */
  get soon(): LineCandidate[] {
    return this.#groups.flatMap(({ target, credentials, from = 0 }, g) => {
      const near: LineCandidate[] = [];
      for (let i = from + (g === 0 ? 1 : 0); near.length < countedAtMost; i++) {
        const credential = credentials.at(i);
        if (credential === undefined) break;
        near.push({ target, credential });
      }
      return near;
    });
  }

  /** Untried credentials of the current target, the current one not counted; at most `countedAtMost`. */
  get credentialsLeft(): number {
    const [first] = this.#groups;
    return first === undefined ? 0 : countLeft(first, 1);
  }

  /** Candidates of the other groups; at most `countedAtMost`. */
  get othersLeft(): number {
    let count = 0;
    for (const group of this.#groups.slice(1)) {
      count += countLeft(group, 0);
      if (count >= countedAtMost) return countedAtMost;
    }
    return count;
  }

  /** Done with the current credential; on to the next of this target, else to the next target. */
  nextCredential(): Line {
    const [first, ...rest] = this.#groups;
    return first === undefined ? this : new Line([withoutHead(first), ...rest]);
  }

  /** Done with the current credential; its target goes to the end of the line. */
  nextTarget(): Line {
    const [first, ...rest] = this.#groups;
    return first === undefined ? this : new Line([...rest, withoutHead(first)]);
  }

  /** The line without the candidates that `keep` refuses; the current one stays. They are asked about when they are looked for. */
  filter(keep: (candidate: LineCandidate) => boolean): Line {
    return new Line(
      this.#groups.map((group, g) => ({ target: group.target, credentials: taken(keptOf(group, keep, g === 0)) })),
    );
  }
}

function headOf({ credentials, from = 0 }: Group): Credential | undefined {
  return credentials.at(from);
}

function hasHead(group: Group): boolean {
  return headOf(group) !== undefined;
}

function withoutHead({ target, credentials, from = 0 }: Group): Group {
  return { target, credentials, from: from + 1 };
}

function* restOf({ credentials, from = 0 }: Group): Generator<Credential, undefined> {
  for (let i = from, one = credentials.at(i); one !== undefined; one = credentials.at(++i)) yield one;
  return undefined;
}

function* keptOf(
  group: Group,
  keep: (candidate: LineCandidate) => boolean,
  isFirst: boolean,
): Generator<Credential, undefined> {
  const current = isFirst ? headOf(group) : undefined;
  for (const credential of restOf(group)) {
    if (credential === current || keep({ target: group.target, credential })) yield credential;
  }
  return undefined;
}

function countLeft({ credentials, from = 0 }: Group, after: number): number {
  let count = 0;
  while (count < countedAtMost && credentials.at(from + after + count) !== undefined) count += 1;
  return count;
}
