import type { TurnEvent } from "../core/events.ts";

type Tell = (event: TurnEvent) => void;
/** Null: nothing of this turn. */
type Observe = () => Tell | null;

/** Those who are told what happens in every turn of an installation. */
export class TurnObservers {
  #observers: readonly Observe[] = [];

  /** Returns how to end it. One that is added twice is told once. */
  add(observe: Observe): () => void {
    if (!this.#observers.includes(observe)) this.#observers = [...this.#observers, observe];
    return () => {
      this.#observers = this.#observers.filter((one) => one !== observe);
    };
  }

  /** A turn begins: gives what to tell its events to. */
  begin(): Tell {
    let first: Tell | null = null;
    let all: Tell[] | null = null;
    for (const observe of this.#observers) {
      const tell = observe();
      if (tell === null) continue;
      if (first === null) first = tell;
      else (all ??= [first]).push(tell);
    }
    return all === null ? (first ?? nobody) : together(all);
  }
}

function nobody(): void {}

function together(all: readonly Tell[]): Tell {
  return (event) => {
    for (const tell of all) tell(event);
  };
}
