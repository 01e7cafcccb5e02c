/**
 * A process that refreshes the logins of a store for ever, as a gateway does whose access tokens are always over. It tells what it
 * does, line by line, before it does it; and at a step that it was told it kills or stops itself, as the power or a debugger would.
 */
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../../src/core/clock.ts";
import { createTokenKeeper } from "../../src/credentials/keeper.ts";
import type { Store } from "../../src/credentials/store.ts";
import { locateStore, openStore } from "../../src/open-store.ts";
import { understudyHome } from "../../src/platform/home.ts";
import { isOwnerDead, processOwner } from "../../src/platform/process-identity.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { builtInProviders, findProvider } from "../../src/providers/registry.ts";
import { createSpendRefreshToken } from "../../src/providers/spend-refresh-token.ts";
import { createUndiciTransport } from "../../src/transport/undici.ts";
import type { Line, Step, WorkerOrders } from "./protocol.ts";

const orders = JSON.parse(process.argv[2] ?? "{}") as WorkerOrders;
let left = orders.at?.nth ?? 0;

function tell(line: Line): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

/** Here the process may be told to end or to stand still. */
function reach(step: Step): void {
  if (orders.at?.step !== step || --left !== 0) return;
  tell({ type: "hit", step });
  process.kill(process.pid, orders.at.signal);
}

const place = locateStore(orders.place, understudyHome(process.env));
const store = await openStore(place, { clock: systemClock, env: process.env });
const spend = createSpendRefreshToken({
  transport: createUndiciTransport(),
  clock: systemClock,
  findProvider: (id) => (orders.oidc === undefined ? findProvider(builtInProviders, id) : oidcProvider(orders.oidc)),
  timeoutMs: orders.refreshTimeoutMs,
});

function oidcProvider({ issuer, clientId }: NonNullable<WorkerOrders["oidc"]>): Provider {
  const base = {
    id: "oidc",
    name: "oidc",
    aliases: [],
    protocol: "responses",
    baseUrl: null,
    baseUrlEnv: null,
  } as const;
  const signIn = { kind: "oauth", issuer, clientId, scope: "openid offline_access", flow: "device" } as const;
  return { ...base, signIn: { ...signIn, redirectUri: null, trustedOrigins: [] } };
}

const watched: Store = {
  ...store,
  async claimRefresh(request) {
    reach("before the claim");
    const claim = await store.claimRefresh(request);
    if (claim.outcome === "claimed") reach("claimed");
    return claim;
  },
  async settleAnswered(id, generation, grant, account) {
    const settled = await store.settleAnswered(id, generation, grant, account);
    tell({ type: "settled", id, generation, at: Date.now(), counted: settled });
    reach("written");
    return settled;
  },
};

const keeper = createTokenKeeper({
  store: watched,
  clock: systemClock,
  random: Math.random,
  owner: processOwner(),
  isDead: orders.sameMachine ? isOwnerDead : () => false,
  claimMs: orders.claimMs,
  async spend(credential) {
    const { id, grant, unknownOutcome } = credential;
    tell({ type: "spend", id, generation: grant.generation, replay: unknownOutcome !== null, at: Date.now() });
    reach("sending");
    const outcome = await spend(credential);
    tell({ type: "outcome", id, generation: grant.generation, kind: outcome.kind, at: Date.now() });
    reach("answered");
    return outcome;
  },
});

tell({ type: "ready" });
await Promise.all(
  orders.logins.map(async (id) => {
    for (;;) {
      const login = await watched.getCredential(id).catch(() => null);
      if (login?.kind === "oauth") {
        const result = await keeper.makeGood(login);
        if (!result.ok && result.failure.reloginRequired) {
          tell({ type: "relogin", id, generation: login.grant.generation, message: result.failure.message });
        }
      }
      await sleep(orders.pauseMs);
    }
  }),
);
