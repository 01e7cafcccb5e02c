import type { Activity } from "../src/gateway/page/view.ts";
import { activity } from "./live.ts";
import { Plot } from "./plot.tsx";
import { formatTook } from "./format.ts";

/** Throughput, added latency and failures of the last hours. */
export function ActivityPlots() {
  const shown = activity.value;
  if (shown === null) return null;
  const hours = Math.round((shown.stepMs * shown.straight.length) / 3_600_000);
  return (
    <section aria-labelledby="activity">
      <div class="heading">
        <h2 id="activity">Last {hours} hours</h2>
        {shown.partial && <span class="muted">only the newest turns are counted</span>}
      </div>
      <div class="plots">
        <Throughput activity={shown} />
        <Latency activity={shown} />
        <Failures activity={shown} />
      </div>
    </section>
  );
}

const minutes = (activity: Activity): number => Math.round(activity.stepMs / 60_000);

function Throughput({ activity }: { activity: Activity }) {
  const { straight, rescued, lost } = activity;
  const [all, saved, gone] = [straight, rescued, lost].map(sum) as [number, number, number];
  return (
    <Plot
      title="Turns"
      unit={`per ${minutes(activity)} min`}
      summary={
        all + saved + gone === 0
          ? "none yet"
          : `${all + saved + gone} in all, ${saved} rescued by a switch, ${gone} lost`
      }
      activity={activity}
      kind="bars"
      series={[
        { name: "answered", color: "--good", values: straight },
        { name: "rescued", color: "--accent", values: rescued },
        { name: "lost", color: "--bad", values: lost },
      ]}
      format={String}
    />
  );
}

function Latency({ activity }: { activity: Activity }) {
  const { addedP50, addedP95 } = activity;
  const worst = Math.max(0, ...addedP95.map((value) => value ?? 0));
  return (
    <Plot
      title="Added latency"
      unit="per turn"
      summary={worst === 0 ? "nothing to speak of" : `at most ${formatTook(worst)} at the 95th percentile`}
      activity={activity}
      kind="lines"
      series={[
        { name: "median", color: "--plot-5", values: addedP50 },
        { name: "95 %", color: "--plot-3", values: addedP95 },
      ]}
      format={formatTook}
    />
  );
}

const failureColors = ["--bad", "--accent", "--plot-3", "--plot-4", "--plot-5"] as const;

function Failures({ activity }: { activity: Activity }) {
  const shown = activity.failures.slice(0, failureColors.length);
  const total = activity.failures.reduce((n, { counts }) => n + sum(counts), 0);
  const [first] = shown;
  return (
    <Plot
      title="Failed attempts"
      unit={`per ${minutes(activity)} min`}
      summary={first === undefined ? "none" : `${total} in all, most often: ${first.words}`}
      activity={activity}
      kind="bars"
      series={shown.map(({ reason, counts }, i) => ({
        name: reason.replaceAll("_", " "),
        color: failureColors[i] ?? "--bad",
        values: counts,
      }))}
      format={String}
    />
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
