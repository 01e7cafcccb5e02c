import type { Usage } from "../core/events.ts";
import type { Failure } from "../core/failure.ts";
import type { Part } from "../protocols/canonical.ts";
import type { StreamEnd } from "./answer-stream.ts";
import { addUsage, joinParts } from "./join-parts.ts";
import { Said } from "./said.ts";

/** An answer at its commit point, of which only the parts matter. */
export interface SuccessorAnswer {
  parts(): AsyncGenerator<Part>;
  /** Known when they have been iterated to their end. */
  end(): StreamEnd | null;
  close(): Promise<void>;
}

/** Somebody who goes on from what was said. */
export interface Successor {
  readonly answer: SuccessorAnswer;
  /** True when it was given what was said as the beginning of its own answer; false when it was told in words. */
  readonly prefilled: boolean;
  /** `provider/model/credential label`. */
  readonly name: string;
  /** In words, what of the request could not be carried to it. */
  readonly dropped: readonly string[];
}

/** What the caller is told of who took over. */
export type TookOver = Pick<Successor, "name" | "dropped">;

/** Looks for somebody to go on from `said` after `cut`; null when nobody can. */
export type FindSuccessor = (said: string, cut: Failure) => Promise<Successor | null>;

/**
 * An answer that others may go on in. Tell it the parts that the caller gets of the first answer; `parts` then gives what comes from those who
 * take over, one after the other, until one of them proves its own end or nobody is left.
 */
export class Continuation {
  readonly #find: FindSuccessor;
  readonly #said = new Said();
  #end: StreamEnd | null = null;
  #answer: SuccessorAnswer | null = null;
  readonly #successors: TookOver[] = [];

  constructor(find: FindSuccessor) {
    this.#find = find;
  }

  /** How the last one ended; null while none of them has. */
  get end(): StreamEnd | null {
    return this.#end;
  }

  get openText(): string | null {
    return this.#said.openText;
  }

  /** Who took over so far, in order. */
  get successors(): readonly TookOver[] {
    return this.#successors;
  }

  hear(part: Part): void {
    this.#said.hear(part);
  }

  /** True when the answer can be gone on in where it stands. */
  canFollow(end: StreamEnd | null): boolean {
    return end?.kind === "cut" && end.failure.reason !== "cancelled" && this.#said.canGoOn;
  }

  async *parts(first: StreamEnd | null): AsyncGenerator<Part> {
    let end = first;
    let usage: Usage | null = null;
    while (end?.kind === "cut" && this.canFollow(end)) {
      usage = addUsage(usage, end.usage);
      const successor = await this.#find(this.#said.text, end.failure);
      if (successor === null) return;
      this.#answer = successor.answer;
      this.#successors.push(successor);
      yield* joinParts(successor.answer.parts(), {
        said: this.#said,
        mayRepeat: !successor.prefilled,
        usage,
        tag: `${this.#successors.length}.`,
      });
      end = endOfWhole(successor.answer.end(), usage);
      this.#end = end;
    }
  }

  async close(): Promise<void> {
    await this.#answer?.close();
  }
}

/** As the end of the whole: with what the answers before it have used, and a failure that it was told of has not been passed on. */
function endOfWhole(end: StreamEnd | null, before: Usage | null): StreamEnd | null {
  if (end?.kind === "cut") return { ...end, told: false };
  return end === null ? null : { ...end, usage: addUsage(before, end.usage) };
}
