import type { TurnRow } from "../src/gateway/page/view.ts";
import { now } from "./clock.ts";
import { formatCount, formatTime, formatTook, formatUsd } from "./format.ts";
import { type Hop, kindOf, toHops } from "./turn-list.ts";

const outcomeWords = {
  running: "under way",
  answered: "answered",
  cut: "broke off",
  failed: "failed",
  cancelled: "cancelled",
} as const;

/** One turn in one line: when, for which route, who was asked one after the other, how long it took. */
export function TurnLine({ row }: { row: TurnRow }) {
  const { endedAt, outcome, route, startedAt, tokens, usd } = row;
  const kind = kindOf(row);
  return (
    <>
      <span class="turn-time number">{formatTime(startedAt, now.value)}</span>
      <span class="turn-route">{route}</span>
      <Path hops={toHops(row.steps)} outcome={outcome} isShort />
      <span class="turn-tokens number muted">
        {usd === null ? "" : `${formatUsd(usd)} · `}
        {tokens === null ? "" : `${formatCount(tokens.input)} → ${formatCount(tokens.output)}`}
        {tokens !== null && <span class="unseen"> tokens</span>}
      </span>
      <span class={`turn-took number ${kind === "lost" ? "bad" : ""}`}>
        <span class={kind === "lost" || kind === "cancelled" ? "" : "unseen"}>
          {outcome === "answered" ? "answered in" : outcomeWords[outcome]}{" "}
        </span>
        {formatTook((endedAt ?? now.value) - startedAt)}
      </span>
    </>
  );
}

interface PathInput {
  readonly hops: readonly Hop[];
  readonly outcome: TurnRow["outcome"];
  /** True: those who failed are named without their provider. */
  readonly isShort?: boolean;
}

/** Who was asked, one after the other. The model stands with the last one. */
export function Path({ hops, outcome, isShort = false }: PathInput) {
  if (hops.length === 0)
    return <span class="path muted">{outcome === "running" ? "choosing…" : "nobody could be tried"}</span>;
  const last = hops.at(-1);
  return (
    <span class="path">
      <span class="hops">
        {hops.map((hop, i) => (
          <>
            {i > 0 && (
              <span class="arrow" aria-hidden="true">
                →
              </span>
            )}
            {i > 0 && <span class="unseen"> then </span>}
            <span class={`hop hop-${hop.state}`}>
              <span class="hop-who">
                {hop === last || !isShort ? `${hop.target.split("/", 1)[0] ?? ""} · ${hop.label}` : hop.label}
              </span>
              {hop.reason !== null && <span class="hop-why"> {hop.reason.replaceAll("_", " ")}</span>}
              {hop.tries > 1 && <span class="hop-tries"> ×{hop.tries}</span>}
            </span>
          </>
        ))}
      </span>
      {last !== undefined && last.state !== "failed" && (
        <span class="hop-model"> {last.target.slice(last.target.indexOf("/") + 1)}</span>
      )}
    </span>
  );
}
