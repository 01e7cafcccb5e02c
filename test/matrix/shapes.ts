import {
  type After,
  type BackendName,
  type BehaviourName,
  behaviours,
  type BehaviourSpec,
  type FaultName,
  faultNames,
} from "../../src/testing.ts";
import type { Subject } from "./subjects.ts";

/** Where in an answer a fault comes. `head`: after a good status, before anything for the caller. */
export const places = ["before headers", "in the head", "mid-text", "mid-tool-call", "at the end"] as const;
export type Place = (typeof places)[number];

/**
 * What a fault means for the turn, said here without looking at the package's own table:
 *
 * - `fails`: this candidate can't answer, another one may.
 * - `passes`: odd, but there is an answer in it.
 * - `refuses`: the caller's own mistake, or a refusal of the content. It is told, and nobody else is asked.
 */
export type Nature = "fails" | "passes" | "refuses";

/** One fault at one place. */
export interface Shape {
  readonly id: string;
  readonly fault: FaultName;
  readonly place: Place;
  readonly nature: Nature;
  readonly spec: BehaviourSpec;
}

const refusing: ReadonlySet<FaultName> = new Set([
  "context-overflow",
  "payload-too-large",
  "content-policy",
  "invalid-request",
  "soft-context-overflow",
  "soft-content-policy",
]);

const passing: ReadonlySet<FaultName> = new Set([
  "no-done",
  "unknown-event",
  "malformed-event",
  "slow-first-event",
  "json-instead-of-sse",
]);

/** The places inside an answer and the simulator's word for each. */
const inside: readonly { readonly after: After; readonly place: Place; readonly name: string }[] = [
  { after: "at-once", place: "in the head", name: "at once" },
  { after: "reasoning", place: "in the head", name: "after reasoning" },
  { after: "text", place: "mid-text", name: "mid-text" },
  { after: "tool-call", place: "mid-tool-call", name: "mid-tool-call" },
  { after: "end", place: "at the end", name: "at the end" },
];

/** Faults that can come at any of the places inside an answer. `cut-mid-text` stands for a cut anywhere. */
const movable: ReadonlySet<FaultName> = new Set([
  "no-terminal",
  "cut-mid-text",
  "reset",
  "stall-mid-text",
  "keep-alive-only",
]);

/** Faults that are a silence themselves. */
const holds: ReadonlySet<FaultName> = new Set(["stall-mid-text", "keep-alive-only"]);

/** One place each, though they are inside a good status. */
const fixedPlaces: Partial<Readonly<Record<FaultName, Place>>> = {
  "cut-before-headers": "before headers",
  "cut-in-head": "before headers",
  "no-headers": "before headers",
  "malformed-event": "mid-text",
  "no-done": "at the end",
};

/** Why a combination is no cell. The page counts them. */
export const missingReasons = {
  wire: "this wire has no such failure (the simulator knows what each provider can say)",
  "no-stream-form":
    "a request that is no stream has no such answer: there the failure is the HTTP error of another row",
  "no-stream-place": "an answer that is no stream is one JSON text: it can be cut before it and in it, nowhere else",
  "stream-only": "only a stream has events that can be odd",
  "another-row": "the same bytes as another row",
  size: "17 MiB each: two credentials and one target stand for all sizes",
} as const;
export type MissingReason = keyof typeof missingReasons;

/** All shapes of one subject, and why others don't exist. */
export function shapesOf(
  subject: Subject,
  stream: boolean,
  supports: (name: BehaviourName) => boolean,
): { shapes: Shape[]; missing: { id: string; why: MissingReason }[] } {
  const shapes: Shape[] = [];
  const missing: { id: string; why: MissingReason }[] = [];
  /** What the upstream sends, whatever the caller asked for. */
  const streams = stream || subject.alwaysStreams;
  for (const fault of faultNames) {
    for (const shape of placed(fault, subject)) {
      const why = supports(fault) ? whyMissing(subject, shape, streams) : "wire";
      if (why === null) shapes.push(shape);
      else missing.push({ id: shape.id, why });
    }
  }
  return { shapes, missing };
}

function placed(fault: FaultName, subject: Subject): Shape[] {
  const nature = natureOf(fault, subject.backend);
  const { kind } = behaviours[fault];
  if (kind === "refused") return [{ id: fault, fault, place: "before headers", nature, spec: { name: fault } }];
  const fixed = fixedPlaces[fault];
  if (fixed !== undefined) return [{ id: fault, fault, place: fixed, nature, spec: { name: fault } }];
  if (kind !== "in-stream" && !movable.has(fault)) {
    return fault === "cut-mid-tool-call"
      ? []
      : [{ id: fault, fault, place: "in the head", nature, spec: { name: fault } }];
  }
  const moved = inside.map(
    ({ after, place, name }): Shape => ({
      id: `${fault.replace("-mid-text", "")} ${name}`,
      fault,
      place,
      nature,
      // What comes before the fault has arrived when it comes: together with it, it would never be seen.
      spec: { name: fault, after, ...(holds.has(fault) ? {} : { pause: true }) },
    }),
  );
  // A reset at once is one before any byte.
  if (fault !== "reset") return moved;
  return moved.map((shape) =>
    shape.spec.after === "at-once" ? { ...shape, id: "reset before headers", place: "before headers" } : shape,
  );
}

/** What a fault means at this backend. */
export function natureOf(fault: FaultName, backend: BackendName): Nature {
  // Codex says it of a parameter that only its own backend does not take, so another one may.
  if (fault === "invalid-request" && backend === "codex") return "fails";
  return refusing.has(fault) ? "refuses" : passing.has(fault) ? "passes" : "fails";
}

function whyMissing(subject: Subject, { fault, spec }: Shape, streams: boolean): MissingReason | null {
  const { kind } = behaviours[fault];
  const { after } = spec;
  // Silence is a stall at once.
  if (fault === "stall-mid-text" && after === "at-once") return "another-row";
  if (streams) return null;
  if (kind === "refused") return null;
  if (kind === "in-stream") {
    if (after === "reasoning" || after === "end") return "no-stream-place";
    if (subject.dialect === "responses") return fault === "error-event" ? "no-stream-form" : null;
    return fault === "soft-content-policy" && after === "at-once" ? null : "no-stream-form";
  }
  switch (fault) {
    case "json-instead-of-sse":
    case "no-done":
    case "unknown-event":
    case "malformed-event":
    case "huge-event":
    case "keep-alive-only":
      return "stream-only";
    case "no-terminal":
      // Half a JSON text that ends cleanly is the broken JSON; none of it is the empty one.
      return "another-row";
    default:
      return after === undefined || after === "at-once" || after === "text" ? null : "no-stream-place";
  }
}
