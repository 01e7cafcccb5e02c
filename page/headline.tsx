import type { PageState } from "../src/gateway/page/view.ts";
import { now } from "./clock.ts";
import { formatDuration } from "./format.ts";

/** One sentence on how things stand: who carries whom. */
export function Headline({ state }: { state: PageState }) {
  const { tone, text } = sentence(state);
  const dark = state.routes.some(({ serving }) => serving === null);
  const needy = state.pools.flatMap(({ accounts, name }) =>
    accounts
      .filter(({ command, state: one }) => command !== null && one !== "paused")
      .map(({ label }) => `${label} (${name})`),
  );
  return (
    <div class={`headline headline-${tone}`}>
      <p>{text}</p>
      {dark && needy.length > 0 && <p class="needs">Waiting for you: {needy.join(", ")}.</p>}
      {state.trouble !== null && <p class="bad">What is shown may be old: {state.trouble}</p>}
    </div>
  );
}

function sentence({ routes, pools }: PageState): { tone: "good" | "warn" | "bad"; text: string } {
  const dark = routes.filter(({ serving }) => serving === null);
  if (routes.length === 0) {
    const ready = pools.flatMap(({ accounts }) => accounts).filter((one) => one.state === "ready").length;
    return { tone: "warn", text: `No route is configured yet; ${count(ready, "account")} could serve one.` };
  }
  if (dark.length > 0) {
    const names = dark.map(({ name }) => name).join(", ");
    const soonest = Math.min(...dark.map(({ recoversAt }) => recoversAt ?? Number.POSITIVE_INFINITY));
    const hope = Number.isFinite(soonest) ? ` The first comes back in ${formatDuration(soonest - now.value)}.` : "";
    const isAll = dark.length === routes.length || dark.some(({ isDefault }) => isDefault);
    return { tone: isAll ? "bad" : "warn", text: `Nobody can serve ${names} now.${hope}` };
  }
  const stoodIn = routes.filter(({ targets }) => targets[0]?.state === "blocked");
  const [first] = stoodIn;
  if (first !== undefined) {
    const more = stoodIn.length > 1 ? `, and ${count(stoodIn.length - 1, "more route")} like it` : "";
    return {
      tone: "warn",
      text: `${first.serving?.target ?? ""} stands in for ${first.targets[0]?.target ?? ""} on ${first.name}${more}.`,
    };
  }
  const main = routes.find(({ isDefault }) => isDefault) ?? routes[0];
  const who = main?.serving?.label == null ? "" : ` · ${main.serving.label}`;
  return { tone: "good", text: `${main?.serving?.target ?? ""}${who} serves ${main?.name ?? ""}.` };
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}
