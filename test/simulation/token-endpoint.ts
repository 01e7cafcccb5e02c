import type { TransportRequest } from "../../src/core/transport.ts";
import { increase } from "./figures.ts";
import type { IssuerReply } from "./issuer.ts";
import type { Delivery } from "./network.ts";
import type { SimProcess } from "./sim-process.ts";
import type { World } from "./world.ts";

/** A refresh arrives at its issuer. */
export function serveToken(world: World, process: SimProcess, request: TransportRequest): Delivery {
  const { origin } = new URL(request.url);
  const issuer = world.issuers.get(origin);
  if (issuer === undefined) throw new Error(`no issuer is at ${request.url}`);
  const form = new URLSearchParams(typeof request.body === "string" ? request.body : "");
  const token = form.get("refresh_token") ?? "";
  const spending = world.spending.arrived(process, token);
  world.durability.used(token, process);
  const before = issuer.familyOf(token)?.over ?? null;
  const reply = issuer.receive(
    form,
    { askedBy: process.owner, claimedAt: spending?.claimedAt ?? 0 },
    world.scheduler.now,
  );
  if (spending !== null && reply.rotation !== null) spending.rotated = true;
  const family = issuer.familyOf(token);
  increase(world.figures.counts, reply.rotation === null ? "issuers: no rotation" : "issuers: rotations");
  world.trace?.tell(
    process,
    `${origin} receives ${token}: ${reply.how} ${reply.status}${reply.rotation === null ? "" : `, rotated to ${reply.rotation.refreshToken}`}${reply.rotation?.mishap == null ? "" : ` (${reply.rotation.mishap})`}${family?.over == null ? "" : ` [the login is over: ${family.over}]`}`,
  );
  noteWait(world, process, origin, reply);
  const isReuse = family !== null && reply.rotation === null && reply.text.includes("refresh_token_reused");
  if (isReuse && before === null) world.logins.reused(family, token, process);
  return {
    how: reply.how === "cut" ? "answer" : reply.how,
    delayMs: reply.delayMs,
    status: reply.status,
    headers: reply.headers,
    pieces: reply.text === "" ? [] : [reply.text],
    end: reply.how === "cut" ? "broken" : "end",
  };
}

/** An answer may be long on its way, and the process frozen meanwhile. */
const underWayMs = 60_000;

function noteWait(world: World, process: SimProcess, origin: string, { status, headers }: IssuerReply): void {
  const asked = Number(headers["retry-after"] ?? 0) * 1_000;
  if (status === 429) process.askedToWait.set(origin, world.scheduler.now + asked + underWayMs);
  else if (status < 300) process.askedToWait.delete(origin);
}
