import type { Chance } from "./chance.ts";
import type { ModelFaultName } from "./wire/model-faults.ts";

/** A fault that stands for a while over a part of the providers. */
export interface Condition {
  readonly fault: ModelFaultName;
  readonly provider: string;
  /** Null: whichever. */
  readonly credentialId: string | null;
  readonly model: string | null;
  readonly machine: string | null;
  /** How often a call that it covers meets it. */
  readonly probability: number;
  /** Unix ms, the true time. */
  readonly until: number;
}

/** One call, or one candidate, as conditions see it. */
export interface Covered {
  readonly provider: string;
  readonly credentialId: string;
  readonly model: string;
  readonly machine: string;
}

/** The conditions over the model providers. */
export class Weather {
  #conditions: Condition[] = [];
  readonly #chance: Chance;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  add(condition: Condition): void {
    this.#conditions.push(condition);
  }

  clear(): void {
    this.#conditions = [];
  }

  /** The fault that this call meets, or null. */
  meet(call: Covered, now: number): ModelFaultName | null {
    for (const condition of this.#over(call, now)) {
      if (this.#chance.happens(condition.probability)) return condition.fault;
    }
    return null;
  }

  isClear(call: Covered, now: number): boolean {
    return this.#over(call, now).length === 0;
  }

  #over(call: Covered, now: number): Condition[] {
    if (this.#conditions.length === 0) return this.#conditions;
    this.#conditions = this.#conditions.filter((condition) => condition.until > now);
    return this.#conditions.filter((condition) => covers(condition, call));
  }
}

export function covers(condition: Omit<Condition, "fault" | "probability" | "until">, call: Covered): boolean {
  return (
    condition.provider === call.provider &&
    (condition.credentialId === null || condition.credentialId === call.credentialId) &&
    (condition.model === null || condition.model === call.model) &&
    (condition.machine === null || condition.machine === call.machine)
  );
}
