import type { Target } from "../core/target.ts";
import type { Credential } from "../credentials/credential.ts";

/** One candidate of a turn: a credential on a target. */
export interface LineCandidate {
  readonly target: Target;
  readonly credential: Credential;
}

interface Group {
  readonly target: Target;
  readonly credentials: readonly Credential[];
}

/**
 * The candidates of one turn, in the order in which they are tried. Immutable: each step gives the next line.
 *
 * The first group is the current target with the credentials left of it, the first of which is being tried. A target
 * that is left with credentials untried goes to the end of the line, so that nobody is forgotten (rule R2).
 */
export class Line {
  readonly #groups: readonly Group[];

  constructor(groups: readonly Group[]) {
    this.#groups = groups.filter((group) => group.credentials.length > 0);
  }

  /** Who is being tried; null when nobody is left. */
  get current(): LineCandidate | null {
    const group = this.#groups[0];
    const credential = group?.credentials[0];
    return group === undefined || credential === undefined ? null : { target: group.target, credential };
  }

  /** Everybody left, in order. */
  get all(): LineCandidate[] {
    return this.#groups.flatMap(({ target, credentials }) => credentials.map((credential) => ({ target, credential })));
  }

  /** Untried credentials of the current target, the current one not counted. */
  get credentialsLeft(): number {
    return Math.max(0, (this.#groups[0]?.credentials.length ?? 0) - 1);
  }

  /** Candidates of the other groups. */
  get othersLeft(): number {
    return this.#groups.slice(1).reduce((count, group) => count + group.credentials.length, 0);
  }

  /** Done with the current credential; on to the next of this target, else to the next target. */
  nextCredential(): Line {
    const [first, ...rest] = this.#groups;
    if (first === undefined) return this;
    return new Line([{ target: first.target, credentials: first.credentials.slice(1) }, ...rest]);
  }

  /** Done with the current credential; its target goes to the end of the line. */
  nextTarget(): Line {
    const [first, ...rest] = this.#groups;
    if (first === undefined) return this;
    return new Line([...rest, { target: first.target, credentials: first.credentials.slice(1) }]);
  }

  /** The line without the candidates that `keep` refuses; the current one stays. */
  filter(keep: (candidate: LineCandidate) => boolean): Line {
    return new Line(
      this.#groups.map((group, g) => ({
        target: group.target,
        credentials: group.credentials.filter(
          (credential, c) => (g === 0 && c === 0) || keep({ target: group.target, credential }),
        ),
      })),
    );
  }
}
