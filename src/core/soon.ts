/** What is mostly known at once: then it is given as it is, and nobody waits for the next round of microtasks. Never a value that is a promise itself. */
export type Soon<T> = T | Promise<T>;

/** Goes on with it, at once where it is known. What `next` throws is thrown then, and else rejects. */
export function soon<T, U>(value: Soon<T>, next: (value: T) => Soon<U>): Soon<U> {
  if (!(value instanceof Promise)) return next(value);
  return value.then((known) => next(known));
}
