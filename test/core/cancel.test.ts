import { describe, expect, it } from "vitest";
import { Canceller } from "../../src/core/cancel.ts";

describe("a canceller", () => {
  it("calls each of its listeners once, with the first reason", () => {
    const canceller = new Canceller();
    const called: string[] = [];
    canceller.addEventListener("abort", () => called.push("a"));
    canceller.addEventListener("abort", () => called.push("b"));
    canceller.abort("first");
    canceller.abort("second");
    expect(called).toEqual(["a", "b"]);
    expect([canceller.aborted, canceller.reason]).toEqual([true, "first"]);
  });

  it("calls nobody who left, whichever came first", () => {
    for (const leaving of [0, 1, 2]) {
      const canceller = new Canceller();
      const called: number[] = [];
      const listeners = [0, 1, 2].map((n) => () => void called.push(n));
      for (const listener of listeners) canceller.addEventListener("abort", listener);
      canceller.removeEventListener("abort", listeners[leaving] as () => void);
      canceller.abort("now");
      expect(called).toEqual([0, 1, 2].filter((n) => n !== leaving));
    }
  });

  it("calls nobody who was taken off by another one that it called, as a signal does", () => {
    const light = new Canceller();
    const real = new AbortController();
    for (const { controller, signal } of [
      { controller: light, signal: light },
      { controller: real, signal: real.signal },
    ]) {
      const called: string[] = [];
      const third = (): void => void called.push("third");
      signal.addEventListener("abort", () => called.push("first"));
      signal.addEventListener("abort", () => {
        called.push("second");
        signal.removeEventListener("abort", third);
      });
      signal.addEventListener("abort", third);
      controller.abort("now");
      expect(called).toEqual(["first", "second"]);
    }
  });

  it("takes the same listener for one, as a signal does", () => {
    const canceller = new Canceller();
    let count = 0;
    const listener = (): void => void count++;
    canceller.addEventListener("abort", () => {});
    canceller.addEventListener("abort", listener);
    canceller.addEventListener("abort", listener);
    canceller.abort("now");
    expect(count).toBe(1);
  });

  it("takes along those that it has adopted, and nobody that it has released", () => {
    const closing = new Canceller();
    const [open, over, late] = [new Canceller(), new Canceller(), new Canceller()];
    closing.adopt(open);
    closing.release(closing.adopt(over));
    closing.abort("closing");
    closing.adopt(late);
    expect([open.reason, over.aborted, late.reason]).toEqual(["closing", false, "closing"]);
  });
});
