import { effect, signal } from "@preact/signals";
import type { Activity, LiveMessage, PageState } from "../src/gateway/page/view.ts";
import { adminKey } from "./admin-key.ts";
import { ask, RefusedError } from "./api.ts";
import { readEvents } from "./read-events.ts";
import { syncClock } from "./clock.ts";
import { putTurns, resetTurns } from "./turn-list.ts";

/** A longer silence than this is a lost connection, in ms; the gateway gives a sign of life every 10 s. */
const longestSilenceMs = 25_000;

/** How everything stands; null until the gateway has said it. */
export const state = signal<PageState | null>(null);
export const activity = signal<Activity | null>(null);

/** Whether what is shown is live. */
export const link = signal<"connecting" | "live" | "lost">("connecting");

/** Why it is not, as far as the gateway could say. */
export const linkProblem = signal("");

/** Listens to the gateway for as long as there is a key, and comes back when the connection is lost. */
export function keepListening(): () => void {
  return effect(() => {
    if (adminKey.value === null) return;
    const stop = new AbortController();
    void listen(stop.signal);
    return () => stop.abort();
  });
}

async function listen(stopped: AbortSignal): Promise<void> {
  link.value = "connecting";
  for (let tries = 0; !stopped.aborted; tries += 1) {
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), longestSilenceMs);
    try {
      const response = await ask("live", { signal: AbortSignal.any([stopped, silence.signal]) });
      resetTurns();
      await readEvents(
        response,
        (data) => {
          take(JSON.parse(data) as LiveMessage);
        },
        () => {
          if (link.peek() === "live") tries = 0;
          clearTimeout(timer);
          timer = setTimeout(() => silence.abort(), longestSilenceMs);
        },
      );
    } catch (error) {
      if (error instanceof RefusedError && adminKey.peek() === null) return;
    } finally {
      clearTimeout(timer);
    }
    if (stopped.aborted) return;
    link.value = "lost";
    await new Promise((resolve) => setTimeout(resolve, Math.min(5_000, 300 * 2 ** tries)));
  }
}

function take(message: LiveMessage): void {
  if (message.type === "trouble") {
    linkProblem.value = message.message;
    return;
  }
  link.value = "live";
  linkProblem.value = "";
  switch (message.type) {
    case "state":
      syncClock(message.state.now);
      state.value = message.state;
      return;
    case "turns":
      return putTurns(message.turns);
    case "activity":
      activity.value = message.activity;
      return;
  }
}
