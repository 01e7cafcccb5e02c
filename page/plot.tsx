import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import type { Activity } from "../src/gateway/page/view.ts";

export interface PlotSeries {
  readonly name: string;
  /** A custom property of the style sheet, so that it follows the colour scheme. */
  readonly color: string;
  readonly values: readonly (number | null)[];
}

interface PlotInput {
  readonly title: string;
  readonly unit: string;
  /** What the picture says, in words. */
  readonly summary: string;
  readonly activity: Activity;
  /** `bars` are stacked. */
  readonly kind: "bars" | "lines";
  readonly series: readonly PlotSeries[];
  readonly format: (value: number) => string;
}

const height = 116;

/** A small plot over the last hours, with its words: a legend that tells the values under the pointer, and a summary for everybody. */
export function Plot(input: PlotInput) {
  const { title, unit, summary, activity, series, format } = input;
  const frame = useRef<HTMLDivElement>(null);
  const pointed = useSignal<number | null>(null);
  const names = series.map(({ name }) => name).join("\n");

  const plot = useRef<uPlot | null>(null);
  useEffect(() => {
    const node = frame.current;
    if (node === null) return;
    const draw = (): void => {
      plot.current?.destroy();
      plot.current = create(node, input, (at) => {
        pointed.value = at;
      });
    };
    draw();
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", draw);
    const resize = new ResizeObserver(() => plot.current?.setSize({ width: node.clientWidth, height }));
    resize.observe(node);
    return () => {
      scheme.removeEventListener("change", draw);
      resize.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [names]);
  useEffect(() => plot.current?.setData(toData(input)), [activity]);

  const at = pointed.value;
  return (
    <figure class="panel plot">
      <figcaption>
        <strong>{title}</strong> <span class="muted">{unit}</span>
        <p class="summary">
          {at === null ? summary : new Date(activity.from + at * activity.stepMs).toTimeString().slice(0, 5)}
        </p>
      </figcaption>
      <div ref={frame} class="canvas" aria-hidden="true" />
      <ul class="legend">
        {series.map(({ name, color, values }) => {
          const value = at === null ? null : (values[at] ?? null);
          return (
            <li key={name}>
              <span class="swatch" style={{ background: `var(${color})` }} />
              {name}
              {value !== null && <strong class="number"> {format(value)}</strong>}
            </li>
          );
        })}
      </ul>
    </figure>
  );
}

function create(node: HTMLElement, input: PlotInput, onPoint: (at: number | null) => void): uPlot {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  const muted = color("--muted");
  const grid = { stroke: color("--line"), width: 1 };
  const font = "11px system-ui, sans-serif";
  const isBars = input.kind === "bars";
  const paths = isBars && uPlot.paths.bars !== undefined ? uPlot.paths.bars({ size: [0.85, 12], align: 1 }) : undefined;
  return new uPlot(
    {
      width: node.clientWidth,
      height,
      legend: { show: false },
      cursor: { y: false, points: { show: !isBars }, drag: { x: false, y: false } },
      padding: [6, 16, 0, 0],
      // A bar begins at its step and ends at the next one.
      scales: {
        x: { range: (_, least, most) => [least, most + input.activity.stepMs / 1_000] },
        y: { range: (_, __, most) => [0, Math.max(most, isBars ? 4 : 100) * 1.05] },
      },
      axes: [
        {
          stroke: muted,
          font,
          grid: { show: false },
          ticks: { show: false },
          size: 20,
          space: 60,
          values: (_, at) => at.map(clock),
        },
        {
          stroke: muted,
          font,
          grid,
          ticks: { show: false },
          size: 46,
          space: 34,
          values: (_, at) => at.map((value) => (Number.isInteger(value) ? input.format(value) : "")),
        },
      ],
      // The tallest stack is drawn first, the others over it.
      series: [
        {},
        ...input.series.toReversed().map((one) => ({
          stroke: isBars ? "transparent" : color(one.color),
          ...(isBars
            ? { fill: color(one.color), width: 0 }
            : { width: 1.5, spanGaps: false, points: { size: 4, fill: color(one.color) } }),
          ...(paths === undefined ? {} : { paths, points: { show: false } }),
        })),
      ],
      hooks: { setCursor: [(plot) => onPoint(plot.cursor.idx ?? null)] },
    },
    toData(input),
    node,
  );
}

function clock(seconds: number): string {
  return new Date(seconds * 1_000).toTimeString().slice(0, 5);
}

/** Columns as uPlot wants them: seconds, then the series from the last to the first, stacked where they are bars. */
function toData({ activity, kind, series }: PlotInput): uPlot.AlignedData {
  const steps = activity.straight.map((_, i) => (activity.from + i * activity.stepMs) / 1_000);
  const columns: (number | null)[][] = [];
  for (const { values } of series) {
    const below = columns.at(-1);
    columns.push(kind === "bars" ? values.map((value, i) => (value ?? 0) + (below?.[i] ?? 0)) : [...values]);
  }
  return [steps, ...columns.reverse()];
}
