/**
 * The names that may have been meant: at most three, the likeliest first. A third of the letters may be wrong, missing,
 * added or swapped; a name that begins with what was written counts as near, too.
 */
export function nearestNames(written: string, names: Iterable<string>): string[] {
  const wanted = written.toLowerCase().slice(0, 100);
  const limit = Math.max(1, Math.min(3, Math.round(wanted.length / 3)));
  return [...new Set(names)]
    .map((name) => ({ name, distance: distance(wanted, name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= limit || (wanted.length >= 3 && name.toLowerCase().startsWith(wanted)))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => name);
}

/** Edits from `a` to `b`, a swap of neighbours counting as one (optimal string alignment). */
function distance(a: string, b: string): number {
  let older: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (older[j - 2] ?? 0) + 1);
      current.push(best);
    }
    older = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/** `did you mean "a" or "b"?`, or null when nothing is near. */
export function didYouMean(near: readonly string[]): string | null {
  if (near.length === 0) return null;
  return `did you mean ${near.map((name) => JSON.stringify(name)).join(" or ")}?`;
}
