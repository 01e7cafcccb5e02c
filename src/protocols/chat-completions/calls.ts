import type { Part } from "../canonical.ts";
import { inventToolId } from "../tool-id.ts";
import { parseObject } from "../read-json.ts";
import type { CallDelta } from "./delta.ts";

/** A tool call on its way. It is told of as soon as its name is known; arguments that came earlier wait. */
interface OpenCall {
  readonly position: number;
  wireId: string;
  id: string;
  name: string;
  args: string;
  state: "new" | "told" | "whole";
}

/**
 * The call that a piece belongs to; undefined when it opens a new one. Servers differ: a piece belongs to the call with
 * its `index`; without one, to the call with its id, else to the last. A new id with a name at an index already taken is
 * a new call: Gemini's compatible endpoint sends all parallel calls at index 0.
 */
export function findCall<C extends { readonly position: number; readonly wireId: string }>(
  calls: readonly C[],
  piece: CallDelta,
): C | undefined {
  if (piece.index === null) {
    return piece.id === "" ? calls.at(-1) : calls.find((call) => call.wireId === piece.id);
  }
  const call = calls.findLast((open) => open.position === piece.index);
  const isAnother = call !== undefined && call.wireId !== "" && piece.id !== "" && call.wireId !== piece.id;
  return isAnother && piece.name !== "" ? undefined : call;
}

/** Puts tool calls together from their pieces. A call without an id gets one that depends only on the answer. */
export class CallAssembler {
  readonly #calls: OpenCall[] = [];
  readonly #answerId: () => string;

  constructor(answerId: () => string) {
    this.#answerId = answerId;
  }

  get hasCalls(): boolean {
    return this.#calls.length > 0;
  }

  /** The parts that this piece completes. An earlier call whose arguments are whole JSON by now is closed by a new call. */
  add(piece: CallDelta): Part[] {
    const known = findCall(this.#calls, piece);
    const parts = known === undefined ? this.#closeWhole() : [];
    const call = known ?? this.#open(piece);
    if (call.state === "whole") return parts;
    if (call.wireId === "") call.wireId = piece.id;
    if (call.name === "") call.name = piece.name;
    call.args += piece.args;
    if (call.state === "new") return [...parts, ...this.#tell(call)];
    return piece.args === "" ? parts : [...parts, { type: "tool-input-delta", id: call.id, delta: piece.args }];
  }

  /** Closes all calls. One that never got a name is dropped: nobody could answer it. */
  finish(): Part[] {
    return this.#calls.flatMap((call) => (call.state === "told" ? close(call) : []));
  }

  #open(piece: CallDelta): OpenCall {
    const position = piece.index ?? this.#calls.length;
    const call: OpenCall = { position, wireId: piece.id, id: "", name: "", args: "", state: "new" };
    this.#calls.push(call);
    return call;
  }

  #tell(call: OpenCall): Part[] {
    if (call.name === "") return [];
    call.state = "told";
    call.id = call.wireId || inventToolId(this.#answerId(), this.#calls.indexOf(call), call.name);
    const start: Part = { type: "tool-input-start", id: call.id, name: call.name };
    return call.args === "" ? [start] : [start, { type: "tool-input-delta", id: call.id, delta: call.args }];
  }

  #closeWhole(): Part[] {
    return this.#calls.flatMap((call) => (call.state === "told" && parseObject(call.args) !== null ? close(call) : []));
  }
}

function close(call: OpenCall): Part[] {
  call.state = "whole";
  const { id, name, args } = call;
  if (args !== "") return [{ type: "tool-call", id, name, input: args }];
  return [
    { type: "tool-input-delta", id, delta: "{}" },
    { type: "tool-call", id, name, input: "{}" },
  ];
}
