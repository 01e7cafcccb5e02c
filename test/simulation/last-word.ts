import type { Route } from "../../src/core/target.ts";
import type { Credential } from "../../src/credentials/credential.ts";
import { plainAsk } from "./ask.ts";
import { Lane } from "./lane.ts";
import type { TurnWatch } from "./oracles/turn-watch.ts";
import type { Person } from "./person.ts";
import { findRow } from "./store-model/disk.ts";
import type { World } from "./world.ts";

const minute = 60_000;

/** Long enough for every pause that anybody was asked to make. */
const restMs = 15 * minute;

/** Virtual ms for one turn in a world at peace. */
const longestAskMs = 60 * minute;

/**
 * In a world at peace every credential is asked once, by whichever process. Each must answer, or be a login that is lost, and
 * then say so.
 */
export async function lastWord(world: World, person: Person): Promise<void> {
  const { scheduler } = world;
  const rested = scheduler.now + restMs;
  scheduler.after(restMs, { name: "rest", dead: false, frozen: false }, () => {});
  await scheduler.run(() => world.isBroken || scheduler.now >= rested);
  person.resetAll();
  for (const { credential } of world.disk.content.rows) {
    if (world.isBroken) return;
    if (credential.kind === "api_key" && !world.isKeyGood(credential.id)) continue;
    await askOne(world, credential);
  }
  if (world.isBroken) return;
  await allIdle(world);
  world.logins.account();
}

async function askOne(world: World, credential: Credential): Promise<void> {
  const { scheduler, chance } = world;
  world.figures.check("liveness");
  const target = { provider: credential.provider, model: "m1", credential: credential.id };
  const route: Route = { name: "last", targets: [target], strict: true };
  const lane = new Lane(chance.script.pick(world.processes));
  let turn: TurnWatch | null = null;
  void lane.ask(plainAsk(route, chance.script.pick(["responses", "messages"]), true)).then((ended) => {
    turn = ended;
  });
  const deadline = scheduler.now + longestAskMs;
  await scheduler.run(() => world.isBroken || turn !== null || scheduler.now > deadline);
  if (world.isBroken) return;
  const ended = turn as TurnWatch | null;
  if (ended === null)
    return world.violate("liveness", `${lane.process.name} never ends its last turn on ${credential.id}`);
  if (ended.outcome !== "answered") explain(world, ended, credential);
}

/** A login that does not answer in a world at peace must be over at its issuer, and must say so. */
function explain(world: World, turn: TurnWatch, { id }: Credential): void {
  const credential = findRow(world.disk.durable, id)?.credential;
  if (credential?.kind !== "oauth") return world.violate("liveness", `${id} does not answer: ${turn.outcome}`);
  const token = credential.grant.refreshToken?.reveal() ?? "";
  const family = world.familyOf(token);
  const isOver = family === null || family.over !== null || family.current !== token || world.wasRefused(credential);
  if (!isOver) return world.violate("liveness", `${id} could be refreshed and does not answer: ${turn.outcome}`);
  world.figures.check("loss");
  if (credential.relogin === null) world.violate("loss", `${id} is lost, and nobody is told`);
}

/** Every keeper comes to rest. */
async function allIdle(world: World): Promise<void> {
  const { scheduler } = world;
  let idle = false;
  void Promise.all(world.processes.map((process) => process.keeper.idle())).then(() => {
    idle = true;
  });
  const deadline = scheduler.now + longestAskMs;
  await scheduler.run(() => idle || scheduler.now > deadline);
  world.figures.check("liveness");
  if (!idle) world.violate("liveness", "a keeper never comes to rest");
}
