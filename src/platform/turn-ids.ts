import type { Clock } from "../core/clock.ts";

/** Random bytes of one id. */
const bytesOfId = 10;
/** Ids whose random bytes are drawn at once. */
const idsOfDraw = 128;

/**
 * Makes the ids of turns: `turn_`, 48 bits of time, and 80 of chance, in hexadecimal digits. Those of later turns are greater.
 * What draws chance is loaded with the first turn: whoever only looks needs none.
 */
export function createTurnIds(clock: Clock): () => string {
  let crypto: typeof import("node:crypto") | null = null;
  let drawn = Buffer.alloc(0);
  let at = 0;
  let lastMs = -1;
  let time = "";
  return () => {
    if (at >= drawn.length) {
      crypto ??= process.getBuiltinModule("node:crypto");
      drawn = crypto.randomBytes(bytesOfId * idsOfDraw);
      at = 0;
    }
    const chance = drawn.toString("hex", at, at + bytesOfId);
    at += bytesOfId;
    const now = clock.now();
    // Turns of one millisecond share it: to write so large a number is what costs.
    if (now !== lastMs) time = now.toString(16).padStart(12, "0");
    lastMs = now;
    return `turn_${time}${chance}`;
  };
}
