import { type Answer, composeAnswer } from "./answer.ts";
import type { After } from "./behaviour.ts";
import { type BehaviourName, type InStreamName, isKind, type RefusedName } from "./faults.ts";
import { end, head, hold, jsonReply, type Reply, write } from "./reply.ts";
import { createScene, stagings } from "./staging.ts";
import { type AnswerWriter, countUntil, type Dialect, type WireContext } from "./wire/dialect.ts";

/** The HTTP error that stands for an in-stream failure when the request is no stream and the wire has no failed body. */
const nearestRefusal: Readonly<Record<InStreamName, RefusedName>> = {
  "soft-quota": "quota-exhausted",
  "soft-burst-limit": "burst-limit",
  "overloaded-in-stream": "overloaded",
  "soft-failed": "server-error",
  "soft-failed-without-status": "server-error",
  "soft-cancelled": "server-error",
  "soft-context-overflow": "context-overflow",
  "soft-content-policy": "content-policy",
  "error-event": "server-error",
};

/** True when this wire has such a behaviour. */
export function supports(dialect: Dialect, name: BehaviourName): boolean {
  if (isKind(name, "refused")) return dialect.refusals[name] !== null;
  if (isKind(name, "in-stream")) return dialect.inStream.includes(name);
  return name !== "no-done" || dialect.endsWithDone;
}

/** A behaviour, carried out in a dialect. Throws a `TypeError` when the dialect has no such behaviour. */
export function perform(dialect: Dialect, context: WireContext): Reply {
  const { behaviour, request } = context;
  const { name } = behaviour;
  if (!supports(dialect, name)) throw new TypeError(`this backend has no ${name}`);
  if (isKind(name, "refused")) return refuse(dialect, name, context);

  const answer = composeAnswer(behaviour, request, () => context.nextId(dialect.callIdPrefix));
  const writer = dialect.writer(answer, context);
  if (isKind(name, "in-stream")) return failInside(dialect, writer, name, context);
  const scene = createScene(dialect, writer, request.stream);
  if (isKind(name, "staged")) {
    const after = behaviour.after ?? afterOf(name, answer);
    return stagings[name]({ ...scene, after, pause: behaviour.pause === true ? [hold] : [] });
  }
  return { status: 200, headers: scene.headers, steps: [head, ...scene.pieces.map((piece) => write(piece.text)), end] };
}

function refuse(dialect: Dialect, name: RefusedName, context: WireContext): Reply {
  const refusal = dialect.refusals[name];
  if (refusal === null) throw new TypeError(`this backend has no ${name}`);
  return refusal(context);
}

function failInside(dialect: Dialect, writer: AnswerWriter, name: InStreamName, context: WireContext): Reply {
  const after: After = context.behaviour.after ?? "at-once";
  if (!context.request.stream) {
    const body = writer.failureBody(name, after);
    return body === null ? refuse(dialect, nearestRefusal[name], context) : jsonReply(200, body);
  }
  const { headers, pieces } = createScene(dialect, writer, true);
  const sent = countUntil(pieces, after);
  const before = pieces.slice(0, sent).map((piece) => write(piece.text));
  const failure = writer.failureEvents(name, sent, after).map(write);
  const pause = context.behaviour.pause === true ? [hold] : [];
  return { status: 200, headers, steps: [head, ...before, ...pause, ...failure, end] };
}

/** Where a staged fault happens when it is not said. */
function afterOf(name: BehaviourName, answer: Answer): After {
  if (name === "cut-mid-tool-call") return "tool-call";
  if (name === "cut-mid-text" || name === "stall-mid-text" || name === "malformed-event") {
    return answer.text === null ? "tool-call" : "text";
  }
  return "at-once";
}
