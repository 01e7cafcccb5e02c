import type { CancelSignal } from "../../src/core/cancel.ts";
import {
  type Transport,
  TransportError,
  type TransportRequest,
  type TransportResponse,
} from "../../src/core/transport.ts";
import type { Lane } from "./lane.ts";
import { outside, type Peril, type Step } from "./scheduler.ts";
import type { SimProcess } from "./sim-process.ts";

/** What a server does with one request, for the wire to carry out. */
export interface Delivery {
  readonly how: "answer" | "refused-connection" | "reset" | "silent";
  /** Ms from the arrival of the request to the headers of the answer. */
  readonly delayMs: number;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly pieces: readonly string[];
  readonly end: "end" | "broken" | "hold";
  /** Called when the last byte has been taken in. */
  readonly onWhole?: () => void;
}

const encoder = new TextEncoder();

/**
 * The transport of one process (and, for the calls of turns, one lane of it). A request on its way arrives although its sender dies;
 * an answer reaches only the living.
 */
export function createTransport(process: SimProcess, lane: Lane | null): Transport {
  const { world } = process;
  const { scheduler, chance } = world;
  const transport: Transport = {
    send(request) {
      const peril = lane === null ? "risky" : "calm";
      const exchange = new Exchange(process, request.signal, peril);
      const arrive = (): void => {
        if (exchange.isOver) return;
        exchange.deliver(world.serve(process, lane, request));
      };
      scheduler.after(chance.schedule.whole(5, 80), outside, arrive, peril);
      return exchange.response;
    },
    close: () => Promise.resolve(),
  };
  return world.plant?.transport?.(transport, process) ?? transport;
}

/** One request and its answer, as its sender sees them. */
class Exchange {
  readonly response: Promise<TransportResponse>;
  isOver = false;
  readonly #process: SimProcess;
  readonly #signal: CancelSignal | undefined;
  readonly #onAbort: () => void;
  readonly #peril: Peril;
  #waiting: { step: Step | null; reject: (reason: unknown) => void } | null = null;
  readonly #settleHead: { resolve: (response: TransportResponse) => void; reject: (reason: unknown) => void };

  constructor(process: SimProcess, signal: TransportRequest["signal"], peril: Peril) {
    const { promise, resolve, reject } = Promise.withResolvers<TransportResponse>();
    this.response = promise;
    this.#settleHead = { resolve, reject };
    this.#process = process;
    this.#peril = peril;
    this.#signal = signal;
    this.#waiting = { step: null, reject };
    this.#onAbort = () => this.#abort();
    if (signal?.aborted) this.#abort();
    else signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  deliver(delivery: Delivery): void {
    const { reject, resolve } = this.#settleHead;
    switch (delivery.how) {
      case "silent":
        return;
      case "refused-connection":
        return this.#later(delivery.delayMs, reject, () => {
          this.#finish();
          reject(new TransportError("connect", "ECONNREFUSED", "connection refused"));
        });
      case "reset":
        return this.#later(delivery.delayMs, reject, () => {
          this.#finish();
          reject(new TransportError("sent", "ECONNRESET", "connection reset"));
        });
      case "answer":
        return this.#later(delivery.delayMs, reject, () => {
          this.#waiting = null;
          resolve({ status: delivery.status, headers: delivery.headers, body: this.#body(delivery) });
        });
    }
  }

  #body(delivery: Delivery): AsyncIterable<Uint8Array> {
    const chunks = split(delivery.pieces, this.#process);
    let at = 0;
    const iterator: AsyncIterator<Uint8Array> = {
      next: () =>
        new Promise((resolve, reject) => {
          if (this.isOver) {
            if (this.#signal?.aborted === true) reject(this.#signal.reason);
            else resolve({ value: undefined, done: true });
            return;
          }
          const chunk = chunks[at];
          at += 1;
          if (chunk === undefined && delivery.end === "hold") {
            this.#waiting = { step: null, reject };
            return;
          }
          this.#later(this.#process.world.chance.schedule.span(1, 400), reject, () => {
            this.#waiting = null;
            if (chunk !== undefined) {
              if (at === chunks.length) delivery.onWhole?.();
              resolve({ value: chunk, done: false });
            } else {
              this.#finish();
              if (delivery.end === "end") resolve({ value: undefined, done: true });
              else reject(new TransportError("body", "ECONNRESET", "connection reset"));
            }
          });
        }),
      return: () => {
        this.#finish();
        return Promise.resolve({ value: undefined, done: true });
      },
    };
    return { [Symbol.asyncIterator]: () => iterator };
  }

  #later(delayMs: number, reject: (reason: unknown) => void, run: () => void): void {
    const step = this.#process.world.scheduler.after(delayMs, this.#process, run, this.#peril);
    this.#waiting = { step, reject };
  }

  #abort(): void {
    if (this.isOver) return;
    const waiting = this.#waiting;
    this.#finish();
    waiting?.step?.cancel();
    waiting?.reject(this.#signal?.reason);
  }

  #finish(): void {
    this.isOver = true;
    this.#waiting = null;
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }
}

/** The body as it comes through the net: events together or apart, sometimes cut in their middle. */
function split(pieces: readonly string[], { world }: SimProcess): Uint8Array[] {
  const { schedule } = world.chance;
  const chunks: Uint8Array[] = [];
  let text = "";
  for (const piece of pieces) {
    text += piece;
    if (schedule.happens(world.togetherness)) continue;
    if (schedule.happens(0.05)) {
      const cut = schedule.whole(0, text.length);
      if (cut > 0) chunks.push(encoder.encode(text.slice(0, cut)));
      text = text.slice(cut);
    } else {
      chunks.push(encoder.encode(text));
      text = "";
    }
  }
  if (text !== "") chunks.push(encoder.encode(text));
  return chunks;
}
