import type { After } from "./behaviour.ts";
import type { StagedName } from "./faults.ts";
import { cut, end, head, hold, partOfHead, reset, type Reply, type Step, textReply, write } from "./reply.ts";
import { type AnswerWriter, countUntil, type Dialect, type WireEvent } from "./wire/dialect.ts";

/** A good answer in pieces, before something goes wrong with it. */
export interface Scene {
  readonly dialect: Dialect;
  readonly stream: boolean;
  readonly headers: Readonly<Record<string, string>>;
  /** The events of a stream; of a JSON body its two halves. */
  readonly pieces: readonly WireEvent[];
  /** The whole answer as JSON, whatever was asked for. */
  readonly json: string;
}

/** Larger than what a careful client accepts as one event. */
const hugeSize = 17 * 1024 * 1024;

export function createScene(dialect: Dialect, writer: AnswerWriter, stream: boolean): Scene {
  const json = JSON.stringify(writer.body());
  if (stream) {
    const headers = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" };
    return { dialect, stream, headers, pieces: writer.events(), json };
  }
  const middle = Math.ceil(json.length / 2);
  // Not between the two halves of a character: each piece is encoded by itself.
  const half = /[\uD800-\uDBFF]/.test(json.charAt(middle - 1)) ? middle + 1 : middle;
  const pieces: WireEvent[] = [
    { part: "text", delta: true, text: json.slice(0, half) },
    { part: "end", delta: false, text: json.slice(half) },
  ];
  const headers = { "content-type": "application/json", "content-length": String(Buffer.byteLength(json)) };
  return { dialect, stream, headers, pieces, json };
}

/** `pause` stands between what is sent and the fault. */
type Staging = (scene: Scene & { readonly after: After; readonly pause: readonly Step[] }) => Reply;

/** What each staged fault does with a good answer. For a body that is no stream, "halfway" is half of its bytes. */
export const stagings: Readonly<Record<StagedName, Staging>> = {
  "broken-json-200": ({ json }) => textReply(200, "application/json", json.slice(0, Math.ceil(json.length / 2))),
  "json-instead-of-sse": ({ json }) => textReply(200, "application/json", json),
  "html-200": () => textReply(200, "text/html", "<!doctype html><title>Welcome</title><p>Please sign in.</p>"),
  "empty-stream": (scene) => ok({ ...scene, headers: withoutLength(scene) }, [head, end]),
  "no-terminal": (scene) =>
    ok({ ...scene, headers: withoutLength(scene) }, [head, ...before(scene), ...scene.pause, end]),
  "no-done": (scene) => ok(scene, [head, ...writes(scene.stream ? scene.pieces.slice(0, -1) : scene.pieces), end]),
  "cut-before-headers": (scene) => ok(scene, [cut]),
  "cut-in-head": (scene) => ok(scene, [partOfHead, cut]),
  "cut-mid-text": (scene) => ok(scene, [head, ...before(scene), ...scene.pause, cut]),
  "cut-mid-tool-call": (scene) => ok(scene, [head, ...before(scene), ...scene.pause, cut]),
  reset: (scene) => ok(scene, scene.after === "at-once" ? [reset] : [head, ...before(scene), ...scene.pause, reset]),
  "no-headers": (scene) => ok(scene, [hold, cut]),
  silence: (scene) => ok(scene, [head, hold, cut]),
  "slow-first-event": (scene) => ok(scene, [head, hold, ...writes(scene.pieces), end]),
  "stall-mid-text": (scene) => ok(scene, [head, ...before(scene), hold, ...rest(scene), end]),
  "keep-alive-only": (scene) => {
    const alive = scene.stream ? [1, 2, 3].map(() => write(scene.dialect.odd.keepAlive)) : [];
    return ok(scene, [head, ...before(scene), ...alive, hold, ...rest(scene), end]);
  },
  "malformed-event": (scene) => odd(scene, scene.dialect.odd.malformed, [before(scene), rest(scene)]),
  "unknown-event": (scene) => odd(scene, scene.dialect.odd.unknown, [[], writes(scene.pieces)]),
  "huge-event": (scene) => odd(scene, scene.dialect.odd.huge(hugeSize), [[], writes(scene.pieces)]),
};

function ok(scene: Pick<Scene, "headers">, steps: readonly Step[]): Reply {
  return { status: 200, headers: scene.headers, steps };
}

/** An odd event between two parts of a stream. A body that is no stream has no events: it comes as it is. */
function odd(scene: Scene, event: string, [first, then]: readonly [readonly Step[], readonly Step[]]): Reply {
  return ok(scene, scene.stream ? [head, ...first, write(event), ...then, end] : [head, ...writes(scene.pieces), end]);
}

function writes(pieces: readonly WireEvent[]): Step[] {
  return pieces.map((piece) => write(piece.text));
}

function before(scene: Scene & { after: After }): Step[] {
  return writes(scene.pieces.slice(0, cutAt(scene)));
}

function rest(scene: Scene & { after: After }): Step[] {
  return writes(scene.pieces.slice(cutAt(scene)));
}

function cutAt({ stream, pieces, after }: Scene & { after: After }): number {
  if (!stream) return after === "at-once" ? 0 : 1;
  return countUntil(pieces, after);
}

/** A length would turn a clean end into a cut. */
function withoutLength({ headers }: Scene): Record<string, string> {
  const { "content-length": _, ...others } = headers;
  return others;
}
