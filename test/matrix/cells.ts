import type { BehaviourName } from "../../src/testing.ts";
import { type MissingReason, type Shape, shapesOf } from "./shapes.ts";
import { type Subject, subjects } from "./subjects.ts";

/** How many credentials the primary has. */
export const poolSizes = [1, 2, 10] as const;
/** How many targets the route has. */
export const chainLengths = [1, 3] as const;
export type PoolSize = (typeof poolSizes)[number];
export type ChainLength = (typeof chainLengths)[number];

/**
 * One cell. Who has the fault: with one target all credentials of the pool but the last; if there is only one, that one. With three
 * targets the whole pool of the first, and the second target where its wire has the same fault; the third is well.
 */
export interface Cell {
  readonly id: string;
  readonly subject: Subject;
  readonly stream: boolean;
  readonly shape: Shape;
  readonly credentials: PoolSize;
  readonly targets: ChainLength;
}

export interface CellPlan {
  readonly cells: readonly Cell[];
  /** Combinations of subject, stream and shape that are no cell, by reason; each stands for six sizes of pool and chain. */
  readonly missing: Readonly<Record<MissingReason, number>>;
}

/** All cells, in the order of the page. `supports` says what each backend of the simulator can do. */
export function planCells(supports: (subject: Subject, name: BehaviourName) => boolean): CellPlan {
  const cells: Cell[] = [];
  const missing: Record<MissingReason, number> = {
    wire: 0,
    "no-stream-form": 0,
    "no-stream-place": 0,
    "stream-only": 0,
    "another-row": 0,
    size: 0,
  };
  for (const subject of subjects) {
    for (const stream of [true, false]) {
      const planned = shapesOf(subject, stream, (name) => supports(subject, name));
      for (const { why } of planned.missing) missing[why] += 1;
      for (const shape of planned.shapes) {
        for (const targets of chainLengths) {
          for (const credentials of poolSizes) {
            if (shape.fault === "huge-event" && (credentials !== 2 || targets !== 1)) {
              missing.size += 1 / (poolSizes.length * chainLengths.length);
              continue;
            }
            const how = stream ? "stream" : "whole";
            const id = `${subject.id} · ${how} · ${shape.id} · ${credentials}×${targets}`;
            cells.push({ id, subject, stream, shape, credentials, targets });
          }
        }
      }
    }
  }
  return { cells, missing };
}

/** How a turn came out for the caller. */
export type Outcome =
  /** One whole answer of one candidate. */
  | "answered"
  /** The beginning of an answer, and told that it broke off. */
  | "cut"
  /** Told that the request itself was refused. */
  | "refused"
  /** Told that nobody could answer. */
  | "failed";

/** What must come out, by the nature and place of the fault alone. */
export function expectedOutcome({ subject, shape, stream, credentials, targets }: Cell): Outcome {
  const { nature, place } = shape;
  const seen = stream && place !== "before headers" && place !== "in the head";
  if (nature === "passes") return "answered";
  // What was passed on can't be taken back, and must not be mixed with another's answer.
  if (seen) return isFilterReason(subject, shape) ? "refused" : "cut";
  if (nature === "refuses") return "refused";
  if (credentials > 1 || targets > 1) return "answered";
  // About the request, but another provider might have taken it: with nobody else it is told as the refusal that it is.
  return shape.fault === "invalid-encrypted-content" ? "refused" : "failed";
}

/** In Chat Completions and Messages a filtered answer ends with a reason, not with an error. */
function isFilterReason({ dialect }: Subject, { fault }: Shape): boolean {
  return fault === "soft-content-policy" && dialect !== "responses";
}
