import { type BehaviourName, behaviours } from "./faults.ts";
import type { Chunk } from "./play.ts";

/** How far an answer comes before its fault: nothing of it, half of the part named, or all of it but its ending. */
export type After = "at-once" | "reasoning" | "text" | "tool-call" | "end";

/** One tool call. `input` is the arguments as a value; `id` stands in for one that the backend would make. */
export interface SimulatedToolCall {
  readonly id?: string;
  readonly name: string;
  readonly input: unknown;
}

/** A behaviour with its details. What does not apply is ignored. */
export interface BehaviourSpec {
  /** Default `answer`. */
  readonly name?: BehaviourName;
  /** The text of the answer instead of one made from the prompt. */
  readonly text?: string;
  /** Reasoning before it. */
  readonly reasoning?: string;
  readonly toolCalls?: readonly SimulatedToolCall[];
  /** For faults inside an answer: default `at-once`, for cuts and stalls the part they are named for. */
  readonly after?: After;
  /** True: when all that comes before the fault is sent, the answer is held until it is released. For faults `after` something. */
  readonly pause?: boolean;
  /** Seconds until the quota's window resets; default 3600. */
  readonly resetsInS?: number;
  /** Seconds in `Retry-After` of a burst limit; default 2. Null: the provider does not say when. */
  readonly retryAfterS?: number | null;
  /** The provider's error code instead of the usual one. */
  readonly code?: string;
  /** The provider's words instead of the usual ones. */
  readonly message?: string;
  /** How the body is split, instead of the backend's own setting. */
  readonly chunk?: Chunk;
  /** Responses: `output` of the terminal event. Default: `full` for API keys, `empty` for Codex. */
  readonly terminalOutput?: "full" | "empty" | "null";
}

/** A name, or a name with details. */
export type Behaviour = BehaviourName | BehaviourSpec;

export type ResolvedBehaviour = BehaviourSpec & { readonly name: BehaviourName };

/** Throws a `TypeError` for a name that does not exist. */
export function resolveBehaviour(behaviour: Behaviour): ResolvedBehaviour {
  const spec = typeof behaviour === "string" ? { name: behaviour } : { ...behaviour, name: behaviour.name ?? "answer" };
  if (!Object.hasOwn(behaviours, spec.name)) throw new TypeError(`there is no behaviour ${JSON.stringify(spec.name)}`);
  return spec;
}
