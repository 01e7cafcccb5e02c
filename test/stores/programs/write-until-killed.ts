/**
 * Raises the generation of the credential `argv[3]` of the store at `argv[2]` for ever, and prints each generation as soon as
 * the store has acknowledged it.
 */
import { writeSync } from "node:fs";
import { Secret } from "../../../src/core/secret.ts";
import { openAny } from "../open-any.ts";

const [, , place = "", id = ""] = process.argv;
const store = await openAny(place);
const credential = await store.getCredential(id);
if (credential?.kind !== "oauth") throw new Error("no such login");
for (let { generation } = credential.grant; ; generation++) {
  const grant = {
    accessToken: new Secret(`access-${generation + 1}`),
    refreshToken: new Secret("r".repeat(1_500)),
    idToken: null,
    expiresAt: null,
    obtainedAt: generation,
    issuer: "https://issuer.example",
  };
  if (!(await store.settleAnswered(id, generation, grant, null))) throw new Error("somebody else wrote");
  writeSync(1, `${generation + 1}\n`);
}
