import type { Cooldown } from "../../../src/core/cooldown.ts";
import type { Decision } from "../../../src/core/decide.ts";
import type { Failure } from "../../../src/core/failure.ts";
import { increase } from "../figures.ts";
import { findRow } from "../store-model/disk.ts";
import type { Truth } from "../wire/model-faults.ts";
import { isOutlived } from "./usable.ts";
import type { Attempt, Call, TurnWatch } from "./turn-watch.ts";

/** Why this cooldown does not follow from this attempt of the turn; null when it does. */
export function blameObjection(turn: TurnWatch, { call, candidate }: Attempt, cooldown: Cooldown): string | null {
  const { process } = turn.lane;
  if (candidate === null) return "a cooldown without an attempt";
  const said = `${cooldown.provider}/${cooldown.credentialId || "*"}/${cooldown.model || "*"} (${cooldown.reason})`;
  if (call === null) {
    const own = { provider: candidate.provider, credentialId: candidate.credentialId, model: "" };
    if (!isSameKey(cooldown, own)) return `${said} is blamed, and nobody was called`;
    if (isLoginOver(turn, candidate)) return null;
    const credential = findRow(process.world.disk.content, candidate.credentialId)?.credential;
    if (credential !== undefined && isOutlived(cooldown, credential)) {
      increase(process.world.figures.excused, "R4: a verdict was written after its login was renewed, and is void");
      return null;
    }
    if (process.world.hasOddClocks) {
      increase(
        process.world.figures.excused,
        "R4: a verdict was written after its login was renewed, by clocks that disagree",
      );
      return null;
    }
    return `${said} is blamed, and its login is not over`;
  }
  const key = call.truth === null ? null : culprit(call, call.truth);
  if (key !== null && isSameKey(cooldown, key)) return null;
  // Silence that nobody kept: the process itself was away, or its clock was.
  if (wasAway(turn, call)) {
    increase(process.world.figures.excused, "R4: a frozen process or a jumping clock saw silence");
    return null;
  }
  return `${said} is blamed for ${call.truth === null ? "a good answer" : `a fault of ${call.truth.scope}`}`;
}

/** Since this call the process, or its clock, was not where it should be. */
function wasAway({ lane: { process } }: TurnWatch, call: Call): boolean {
  return process.wasHeldUpSince(call.at) || process.machine.jumpedAt >= call.at;
}

/** Checks what the core made of a failed attempt against the truth about it. True when it has to be counted against somebody. */
export function judgeFailure(turn: TurnWatch, failure: Failure, decision: Decision): boolean {
  const { call, ask } = turn;
  const { process } = turn.lane;
  const { world } = process;
  if (failure.reason === "cancelled" && turn.gaveUp) return false;
  if (call === null) return false;
  world.figures.check("R4");
  const violate = (text: string): void => world.violate("R4", `${process.name} ${turn.id}: ${text}`);
  const { truth } = call;
  if (truth === null) {
    if (!wasAway(turn, call)) violate(`a good answer was taken for ${failure.reason}: ${failure.message}`);
    return false;
  }
  if (turn.gaveUp) return false;
  if (!truth.reasons.includes(failure.reason) || truth.scope !== failure.scope) {
    if (wasAway(turn, call)) return false;
    violate(
      `${truth.reasons.join("/")} of ${truth.scope} was taken for ${failure.reason} of ${failure.scope} (${ask.dialect}, ${failure.message})`,
    );
  }
  return !["retry", "refresh", "repair"].includes(decision.action) && culprit(call, truth) !== null;
}

/** The turn has gone on so far that what it left must be counted (docs/decisions/019-rests-behind-the-next-request.md). */
export function judgeUncounted(turn: TurnWatch, { call }: Attempt, failure: Failure): void {
  const { process } = turn.lane;
  // What stands there can't be known, and so not made longer, while the store can't be read.
  if (call === null || process.refusedAt >= call.at) return;
  const text = `a fault of ${call.truth?.scope ?? "nobody"} (${failure.reason}) was left and counted against nobody`;
  process.world.violate("R4", `${process.name} ${turn.id}: ${text}`);
}

/** The issuer has refused this login's refresh token for good, or there is none. */
function isLoginOver({ lane }: TurnWatch, candidate: Attempt["candidate"]): boolean {
  const { world } = lane.process;
  const credential = findRow(world.disk.content, candidate?.credentialId ?? "")?.credential;
  if (credential?.kind !== "oauth") return false;
  const { refreshToken } = credential.grant;
  if (credential.relogin !== null || refreshToken === null || world.wasRefused(credential)) return true;
  // A late answer of a process that was frozen may be written over the verdict; that does not bring the login back.
  return (world.familyOf(refreshToken.reveal())?.over ?? null) !== null;
}

type Key = Pick<Cooldown, "provider" | "credentialId" | "model">;

/** Where the fault of this call is to be noted; null when it is nobody's. Written anew here: it judges the core's own. */
function culprit({ provider, credentialId, model }: Call, { scope }: Truth): Key | null {
  switch (scope) {
    case "credential":
      return { provider, credentialId, model: "" };
    case "credential_model":
      return { provider, credentialId, model };
    case "model":
      return { provider, credentialId: "", model };
    case "provider":
      return { provider, credentialId: "", model: "" };
    case "request":
    case "network":
      return null;
  }
}

function isSameKey(a: Key, b: Key): boolean {
  return a.provider === b.provider && a.credentialId === b.credentialId && a.model === b.model;
}
