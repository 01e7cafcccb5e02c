/**
 * Refreshes the credential `argv[3]` of the store at `argv[2]` in competition with others, until it has `argv[4]` generations.
 * Each spending is noted as a line of the file `argv[5]` before it is settled. Every third claim is given up unspent.
 */
import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Secret } from "../../../src/core/secret.ts";
import { isOwnerDead, processOwner } from "../../../src/platform/process-identity.ts";
import { openAny } from "../open-any.ts";

const [, , place = "", id = "", last = "", log = ""] = process.argv;
const store = await openAny(place);
const owner = processOwner();
console.log("ready");
await once(process.stdin, "data");
process.stdin.destroy();

let generation = 1;
for (let claims = 1; generation < Number(last); ) {
  const now = Date.now();
  const request = { credentialId: id, generation, owner, now, deadline: now + 60_000 };
  const claim = await store.claimRefresh({ ...request, isDead: isOwnerDead, replay: false });
  if (claim.outcome === "claimed" && claims++ % 3 === 0) {
    await store.releaseClaim(id, generation, owner);
  } else if (claim.outcome === "claimed") {
    appendFileSync(log, `${generation}\n`);
    const settled = await store.settleAnswered(
      id,
      generation,
      {
        accessToken: new Secret(`access-${generation + 1}`),
        refreshToken: new Secret(`refresh-${generation + 1}`),
        idToken: null,
        expiresAt: null,
        obtainedAt: now,
        issuer: "https://issuer.example",
      },
      null,
    );
    if (!settled) throw new Error(`generation ${generation} was settled by somebody else`);
    await store.recordUse(id, now);
  } else if (claim.outcome === "superseded") {
    generation = claim.credential.grant.generation;
  } else if (claim.outcome === "held") {
    await sleep(1);
  } else {
    throw new Error(`the claim is ${claim.outcome}, though nobody died`);
  }
}
await store.close();
