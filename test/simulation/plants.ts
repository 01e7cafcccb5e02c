import type { TransportResponse } from "../../src/core/transport.ts";
import type { OAuthCredential } from "../../src/credentials/credential.ts";
import type { Plant } from "./plant.ts";
import { outside } from "./scheduler.ts";
import { findRow } from "./store-model/disk.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Bugs that the simulation must find: for each invariant at least one, and such as a hand might really write. */
export const plants = {
  "claims-are-free": {
    breaks: "R1",
    bug: "the store gives a claim to everybody who asks",
    store: (store) => ({
      ...store,
      claimRefresh(request) {
        const credential = store.getCredential(request.credentialId);
        const isFree = credential?.kind === "oauth" && credential.grant.generation === request.generation;
        if (isFree && credential.relogin === null) return { outcome: "claimed", credential };
        return store.claimRefresh(request);
      },
    }),
  },
  "eager-replay": {
    breaks: "R1",
    bug: "an unknown outcome is spent again while the access token lives",
    store: (store) => ({
      ...store,
      claimRefresh(request) {
        const claim = store.claimRefresh(request);
        return claim.outcome === "unknown" ? store.claimRefresh({ ...request, replay: true }) : claim;
      },
    }),
  },
  "short-deadline": {
    breaks: "R1",
    bug: "a claim stands shorter than a refresh may take",
    store: (store) => ({
      ...store,
      claimRefresh: (request) => store.claimRefresh({ ...request, deadline: request.now + 2_000 }),
    }),
  },
  "forgotten-credential": {
    breaks: "R2",
    bug: "the last credential of a pool is left out",
    port: (port) => ({
      ...port,
      async listCredentials(provider) {
        const listed = await port.listCredentials(provider);
        return listed.length > 1 ? listed.slice(0, -1) : listed;
      },
    }),
  },
  "glued-answers": {
    breaks: "R3",
    bug: "a stream that broke is continued with the answer to a second call",
    transport: (transport) => ({
      ...transport,
      async send(request) {
        const response = await transport.send(request);
        if (!isStream(response)) return response;
        async function* glued(): AsyncGenerator<Uint8Array> {
          try {
            yield* response.body;
          } catch {
            yield* (await transport.send(request)).body;
          }
        }
        return { ...response, body: glued() };
      },
    }),
  },
  "hidden-cut": {
    breaks: "R3",
    bug: "an answer that broke off is given an end of its own",
    transport: (transport) => ({
      ...transport,
      async send(request) {
        const response = await transport.send(request);
        if (!isStream(response)) return response;
        async function* ended(): AsyncGenerator<Uint8Array> {
          let text = "";
          for await (const chunk of response.body) {
            text += decoder.decode(chunk);
            yield chunk;
          }
          if (text.includes("text_delta") && !text.includes("message_stop")) {
            yield encoder.encode('event: message_stop\ndata: {"type":"message_stop"}\n\n');
          }
          if (text.includes("chat.completion.chunk") && !text.includes("[DONE]")) {
            const choices = [{ index: 0, delta: {}, finish_reason: "stop" }];
            yield encoder.encode(`data: ${JSON.stringify({ choices })}\n\ndata: [DONE]\n\n`);
          }
        }
        return { ...response, body: ended() };
      },
    }),
  },
  "wrong-culprit": {
    breaks: "R4",
    bug: "a fault of one model benches the whole credential",
    port: (port) => ({
      ...port,
      putCooldown: (cooldown) => port.putCooldown({ ...cooldown, model: "" }),
    }),
  },
  "callers-mistake-benches": {
    breaks: "R4",
    bug: "a request that is too long counts as an empty allowance",
    transport: (transport) => ({
      ...transport,
      async send(request) {
        const response = await transport.send(request);
        return response.status === 400 ? { ...response, status: 402 } : response;
      },
    }),
  },
  "last-cooldown-wins": {
    breaks: "R5",
    bug: "a later failure writes over a longer cooldown",
    store: (store) => ({
      ...store,
      putCooldown(cooldown) {
        const { provider, credentialId, model } = cooldown;
        store.clearCooldowns({ provider, credentialId, model });
        store.putCooldown(cooldown);
      },
    }),
  },
  "success-clears-all": {
    breaks: "R5",
    bug: "an answer clears every cooldown of its provider",
    store: (store) => ({
      ...store,
      clearCooldowns: ({ provider }) => store.clearCooldowns(provider === undefined ? {} : { provider }),
    }),
  },
  "late-fsync": {
    breaks: "R6",
    bug: "the store says that a write is durable before it is",
    prepare(world) {
      world.disk.sync = () => {};
      const synced = (): void => {
        world.scheduler.after(2_000, outside, () => {
          const before = world.disk.durable;
          world.disk.durable = world.disk.content;
          if (before !== world.disk.durable) world.disk.onDurable?.(before, world.disk.durable);
          synced();
        });
      };
      synced();
    },
  },
  "use-before-settle": {
    breaks: "R6",
    bug: "a new token is used while it is being written",
    port(port) {
      const early = new Map<string, OAuthCredential>();
      return {
        ...port,
        async settleAnswered(id, generation, grant, account) {
          const current = await port.getCredential(id);
          if (current?.kind !== "oauth") return false;
          early.set(id, { ...current, grant: { ...grant, generation: generation + 1 } });
          void port.settleAnswered(id, generation, grant, account).catch(() => {});
          return true;
        },
        async getCredential(id) {
          const stored = await port.getCredential(id);
          const known = early.get(id);
          const isNewer = stored?.kind === "oauth" && known !== undefined;
          return isNewer && known.grant.generation > stored.grant.generation ? known : stored;
        },
      };
    },
  },
  "full-disk-forgets": {
    breaks: "R6",
    bug: "a write that fails takes a row with it",
    onRefusedWrite(world) {
      const { content } = world.disk;
      world.disk.write({ ...content, rows: content.rows.slice(1) }, true);
    },
  },
  "forgotten-verdict": {
    breaks: "verdict",
    bug: "a refusal for good is not written down",
    store: (store, process) => ({
      ...store,
      settleRefused(id, mark) {
        store.releaseClaim(id, mark.generation, process.owner);
        return true;
      },
    }),
  },
  "old-refresh-token-kept": {
    breaks: "loss",
    bug: "the rotated refresh token is dropped",
    store: (store, process) => ({
      ...store,
      settleAnswered(id, generation, grant, account) {
        const credential = findRow(process.world.disk.content, id)?.credential;
        const refreshToken = credential?.kind === "oauth" ? credential.grant.refreshToken : grant.refreshToken;
        return store.settleAnswered(id, generation, { ...grant, refreshToken }, account);
      },
    }),
  },
  "everlasting-claim": {
    breaks: "liveness",
    bug: "the claim of a dead process stands for ever",
    store: (store, process) => ({
      ...store,
      claimRefresh(request) {
        const claim = findRow(process.world.disk.content, request.credentialId)?.claim;
        if (claim != null && claim.owner !== request.owner) return { outcome: "held", until: request.now + 30_000 };
        return store.claimRefresh(request);
      },
    }),
  },
} as const satisfies Readonly<Record<string, Plant>>;

export type PlantName = keyof typeof plants;

function isStream({ headers }: TransportResponse): boolean {
  return headers["content-type"]?.includes("event-stream") === true;
}
