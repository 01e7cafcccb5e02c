/** What is mostly known at once: then it is given as it is, and nobody waits for the next round of microtasks. Never a value that is a promise itself. */
export type Soon<T> = T | Promise<T>;

/** Goes on with it, at once where it is known. What `goOn` throws is thrown then, and else rejects. */
export function soon<T, U>(value: Soon<T>, goOn: (value: T) => Soon<U>): Soon<U> {
  if (!(value instanceof Promise)) return goOn(value);
  return value.then((known) => goOn(known));
}
