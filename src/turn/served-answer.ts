import type { TurnRecord } from "../core/events.ts";
import type { Soon } from "../core/soon.ts";
import type { Part } from "../protocols/canonical.ts";
import type { StreamEnd, Taker } from "./answer-stream.ts";
import type { CallerAnswer } from "./caller-answer.ts";

/** An answer that ends its turn: when it was read to its end, given up, or closed, and once. */
export class ServedAnswer implements CallerAnswer {
  readonly #answer: CallerAnswer;
  readonly #endTurn: () => Soon<TurnRecord>;
  #isOver = false;
  #record: TurnRecord | null = null;
  #fault: { readonly reason: unknown } | null = null;
  /** Who waits for the record; null while nobody does. */
  #waiting: PromiseWithResolvers<TurnRecord> | null = null;

  constructor(answer: CallerAnswer, endTurn: () => Soon<TurnRecord>) {
    this.#answer = answer;
    this.#endTurn = endTurn;
  }

  /** What the turn left behind; null until it is stored. */
  get record(): TurnRecord | null {
    return this.#record;
  }

  /** The same, waited for. */
  get done(): Promise<TurnRecord> {
    if (this.#record !== null) return Promise.resolve(this.#record);
    if (this.#waiting === null) {
      this.#waiting = Promise.withResolvers();
      // Nobody has to look.
      this.#waiting.promise.catch(nothing);
      if (this.#fault !== null) this.#waiting.reject(this.#fault.reason);
    }
    return this.#waiting.promise;
  }

  get contentType(): string {
    return this.#answer.contentType;
  }

  end(): StreamEnd | null {
    return this.#answer.end();
  }

  bytes(): AsyncGenerator<Uint8Array> {
    return withEnd(this.#answer.bytes(), () => this.#over());
  }

  parts(): AsyncGenerator<Part> {
    return withEnd(this.#answer.parts(), () => this.#over());
  }

  pour(taker: Taker): Soon<void> {
    try {
      const poured = this.#answer.pour(taker);
      return poured instanceof Promise ? this.#overAfter(poured) : this.#over();
    } catch (error) {
      return this.#overAfter(Promise.reject(error));
    }
  }

  async close(): Promise<void> {
    await this.#answer.close();
    await this.#over();
  }

  async #overAfter(poured: Promise<void>): Promise<void> {
    try {
      await poured;
    } finally {
      await this.#over();
    }
  }

  #over(): Soon<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    try {
      const record = this.#endTurn();
      if (!(record instanceof Promise)) return this.#keep(record);
      return record.then(
        (stored) => this.#keep(stored),
        (error: unknown) => this.#failed(error),
      );
    } catch (error) {
      this.#failed(error);
    }
  }

  #keep(record: TurnRecord): void {
    this.#record = record;
    this.#waiting?.resolve(record);
  }

  #failed(reason: unknown): void {
    this.#fault = { reason };
    this.#waiting?.reject(reason);
  }
}

const nothing = (): void => {};

/** `items`, with `end` awaited before their end is told. No generator of its own, which would cost for every item. */
function withEnd<T>(items: AsyncGenerator<T>, end: () => Soon<void>): AsyncGenerator<T> {
  const step = async (taken: Promise<IteratorResult<T>>): Promise<IteratorResult<T>> => {
    try {
      const result = await taken;
      if (result.done === true) await end();
      return result;
    } catch (error) {
      await end();
      throw error;
    }
  };
  const watched: AsyncGenerator<T> = {
    next: () => step(items.next()),
    return: (value: unknown) => step(items.return(value)),
    throw: (error: unknown) => step(items.throw(error)),
    [Symbol.asyncIterator]: () => watched,
    async [Symbol.asyncDispose]() {
      await watched.return(undefined);
    },
  };
  return watched;
}
