/**
 * Claims generation 1 of the credential `argv[3]` in the store at `argv[2]` for `argv[4]` ms, prints the outcome, and holds the claim.
 * A line on standard input makes it settle: it prints whether that counted, and ends.
 */
import { once } from "node:events";
import { Secret } from "../../../src/core/secret.ts";
import { isOwnerDead, processOwner } from "../../../src/platform/process-identity.ts";
import { openAny } from "../open-any.ts";

const [, , place = "", id = "", spanMs = ""] = process.argv;
const store = await openAny(place);
const now = Date.now();
const claim = await store.claimRefresh({
  credentialId: id,
  generation: 1,
  owner: processOwner(),
  now,
  deadline: now + Number(spanMs),
  isDead: isOwnerDead,
  replay: false,
});
console.log(claim.outcome);
await once(process.stdin, "data");
process.stdin.destroy();
const secret = new Secret("late");
const grant = {
  accessToken: secret,
  refreshToken: secret,
  idToken: null,
  expiresAt: null,
  obtainedAt: now,
  issuer: "https://issuer.example",
};
console.log(await store.settleAnswered(id, 1, grant, null));
await store.close();
