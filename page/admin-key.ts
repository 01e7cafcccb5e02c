import { signal } from "@preact/signals";

/** Where the key is kept until the tab is closed. Session storage belongs to this origin alone, port included; a cookie would not. */
const place = "understudy-admin-key";

/** The admin key; null until a person has entered it. */
export const adminKey = signal<string | null>(sessionStorage.getItem(place));

/** Why the key is asked for again. */
export const keyProblem = signal<string | null>(null);

export function enterKey(key: string): void {
  sessionStorage.setItem(place, key);
  keyProblem.value = null;
  adminKey.value = key;
}

export function forgetKey(problem: string | null): void {
  sessionStorage.removeItem(place);
  keyProblem.value = problem;
  adminKey.value = null;
}
