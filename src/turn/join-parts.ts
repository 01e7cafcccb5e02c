import type { Usage } from "../core/events.ts";
import type { Part } from "../protocols/canonical.ts";
import { Overlap } from "./overlap.ts";
import type { Said } from "./said.ts";

export interface JoinOptions {
  /** What has gone out so far. Told every part that is given here. */
  readonly said: Said;
  /** True: a model that was told in words to go on may say again what it was to leave out; see `overlap.ts`. */
  readonly mayRepeat: boolean;
  /** What the answers before this one have used. */
  readonly usage: Usage | null;
  /** Different for each answer of a turn: keeps the ids of its blocks apart from those of the others. */
  readonly tag: string;
}

/**
 * The parts of another answer so that they go on where the one before broke off:
 *
 * - Its first text grows the block that is open, if one is.
 * - It has no second beginning, and its reasoning is left out: its place would be in the middle of a sentence.
 * - Its calls keep their ids, since the caller answers to them.
 * - Its usage is added to what was used before.
 */
export async function* joinParts(parts: AsyncIterable<Part>, options: JoinOptions): AsyncGenerator<Part> {
  for await (const part of join(parts, options)) {
    options.said.hear(part);
    yield part;
  }
}

async function* join(parts: AsyncIterable<Part>, { said, mayRepeat, usage, tag }: JoinOptions): AsyncGenerator<Part> {
  const overlap = new Overlap(mayRepeat ? said.text : "");
  const open = said.openText;
  /** The block of this answer that grows the open one. */
  let joined: string | null = null;
  let isOpenEnded = open === null;
  const nameOf = (id: string): string => (id === joined && open !== null ? open : `${tag}${id}`);

  for await (const part of parts) {
    switch (part.type) {
      case "response-start":
      case "reasoning-start":
      case "reasoning-delta":
      case "reasoning-end":
        break;
      case "text-start":
        if (!isOpenEnded && joined === null) joined = part.id;
        else yield { type: "text-start", id: nameOf(part.id) };
        break;
      case "text-delta": {
        const text = overlap.push(part.text);
        if (text !== "") yield { type: "text-delta", id: nameOf(part.id), text };
        break;
      }
      case "text-end": {
        const text = overlap.end();
        if (text !== "") yield { type: "text-delta", id: nameOf(part.id), text };
        yield { type: "text-end", id: nameOf(part.id) };
        if (part.id === joined) isOpenEnded = true;
        break;
      }
      case "tool-input-start":
      case "tool-input-delta":
      case "tool-call":
        if (open !== null && !isOpenEnded && joined === null) {
          isOpenEnded = true;
          yield { type: "text-end", id: open };
        }
        yield part;
        break;
      case "finish":
        if (open !== null && !isOpenEnded) yield { type: "text-end", id: open };
        yield { ...part, usage: addUsage(usage, part.usage) };
    }
  }
}

/** Both together; what is not known counts nothing. */
export function addUsage(a: Usage | null, b: Usage | null): Usage | null {
  if (a === null || b === null) return a ?? b;
  return {
    input: a.input + b.input,
    output: a.output + b.output,
    cachedInput: a.cachedInput + b.cachedInput,
    reasoning: a.reasoning + b.reasoning,
    ...(a.reportedCost === undefined && b.reportedCost === undefined
      ? {}
      : { reportedCost: (a.reportedCost ?? 0) + (b.reportedCost ?? 0) }),
  };
}
