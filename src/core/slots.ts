/**
 * Who is there now, of those who come and go with every turn. Unlike a `Set`, whose tables are made anew as members go: an old one keeps hold of those
 * that it had, and V8 of it, until everything is collected. What a turn holds would stay that long, a hundred times over.
 */
export class Slots<T extends object> {
  readonly #members: (T | null)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#members.length - this.#free.length;
  }

  /** Gives the place, for `remove`. */
  add(member: T): number {
    const place = this.#free.pop() ?? this.#members.length;
    this.#members[place] = member;
    return place;
  }

  /** To be called once for each place. */
  remove(place: number): void {
    this.#members[place] = null;
    this.#free.push(place);
  }

  /** In no order. */
  *[Symbol.iterator](): Generator<T> {
    for (const member of this.#members) if (member !== null) yield member;
  }
}
