import { signal } from "@preact/signals";

let offset = 0;

/** The gateway's time in Unix ms, moved on every second. */
export const now = signal<number>(Date.now());

/** Takes the gateway's clock over: countdowns must not depend on the browser's. */
export function syncClock(gatewayNow: number): void {
  offset = gatewayNow - Date.now();
  now.value = gatewayNow;
}

/** Keeps `now` going. Returns how to stop. */
export function startClock(): () => void {
  const timer = setInterval(() => {
    now.value = Date.now() + offset;
  }, 1_000);
  return () => clearInterval(timer);
}
