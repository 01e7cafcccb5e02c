/** What the simulation watches over. R1–R6 are the rules of docs/architecture.md. */
export const invariants = {
  R1: "a generation's refresh token is spent at most once on purpose",
  R2: "a turn with a usable candidate throughout is answered",
  R3: "no bytes of two attempts are mixed, and a cut answer is never complete",
  R4: "a failure counts against exactly who caused it",
  R5: "a cooldown is kept, and never shortened by a later failure",
  R6: "a rotated token is durable before it is used, and a failed write loses nothing",
  verdict: "a refused refresh token is never sent again",
  loss: "no login is lost but between its issuer's rotation and the durable write, and its loss is told",
  liveness: "every turn ends, and every login that can be used is used again",
} as const;

export type Invariant = keyof typeof invariants;

export interface Violation {
  readonly invariant: Invariant;
  readonly text: string;
  readonly step: number;
}

/** What was counted. Figures of several seeds are added up. */
export class Figures {
  seeds = 0;
  turns = 0;
  steps = 0;
  /** Virtual ms. */
  simulatedMs = 0;
  readonly checks = new Map<Invariant, number>();
  readonly violations: Violation[] = [];
  /** Turns by their outcome. */
  readonly outcomes = new Map<string, number>();
  /** Refresh tokens spent a second time, by the reason that made it right. */
  readonly secondSpends = new Map<string, number>();
  /** Logins lost, by what happened between rotation and write. */
  readonly lostLogins = new Map<string, number>();
  /** Deviations that the circumstances excuse, by circumstance. */
  readonly excused = new Map<string, number>();
  /** Whatever else is worth knowing: faults, refreshes, crashes. */
  readonly counts = new Map<string, number>();

  check(invariant: Invariant): void {
    this.checks.set(invariant, (this.checks.get(invariant) ?? 0) + 1);
  }

  add(other: Figures): void {
    this.seeds += other.seeds;
    this.turns += other.turns;
    this.steps += other.steps;
    this.simulatedMs += other.simulatedMs;
    this.violations.push(...other.violations);
    for (const [invariant, count] of other.checks) increase(this.checks, invariant, count);
    for (const name of ["outcomes", "secondSpends", "lostLogins", "excused", "counts"] as const) {
      for (const [key, count] of other[name]) increase(this[name], key, count);
    }
  }
}

export function increase<K>(counts: Map<K, number>, key: K, by = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
