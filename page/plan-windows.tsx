import type { PlanView } from "../src/gateway/page/view.ts";
import { now } from "./clock.ts";
import { formatDuration } from "./format.ts";

/** How much of each window of a plan is used, and when it begins anew. */
export function PlanWindows({ plan, label }: { plan: PlanView; label: string }) {
  const age = now.value - plan.at;
  return (
    <div class="windows">
      {plan.windows.map(({ name, usedPercent, resetsAt }) => {
        const used = Math.round(usedPercent);
        const tone = used >= 100 ? "bad" : used >= 80 ? "warn" : "good";
        const isOver = resetsAt !== null && resetsAt <= now.value;
        const reset =
          resetsAt === null ? "" : isOver ? "begins anew" : `resets in ${formatDuration(resetsAt - now.value)}`;
        return (
          <div class="window" key={name}>
            <span class="window-name">{name}</span>
            <div
              class="bar"
              role="meter"
              aria-label={`${label}: ${name} window used`}
              aria-valuemin={0}
              aria-valuemax={100}
              aria-valuenow={Math.min(100, used)}
              aria-valuetext={`${used} %, ${reset}`}
            >
              <div class={`fill fill-${tone}`} style={{ width: `${Math.min(100, Math.max(used, 1))}%` }} />
            </div>
            <span class="number">{used} %</span>
            <span class="muted reset">{reset}</span>
          </div>
        );
      })}
      {(plan.credits !== null || age > 3_600_000) && (
        <p class="muted small">
          {plan.credits !== null && `credits: ${plan.credits}`}
          {plan.credits !== null && age > 3_600_000 && " · "}
          {age > 3_600_000 && `as of ${formatDuration(age)} ago`}
        </p>
      )}
    </div>
  );
}
