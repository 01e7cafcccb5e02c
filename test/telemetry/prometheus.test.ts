import { describe, expect, it } from "vitest";
import {
  createCounter,
  createHistogram,
  gaugeFamily,
  mergeFamilies,
  renderFamilies,
} from "../../src/telemetry/prometheus.ts";
import { parseMetrics } from "../rig/prometheus-text.ts";

describe("metrics as Prometheus reads them", () => {
  it("escape what a label may hold, and a counter without labels begins at zero", () => {
    const said = createCounter({ name: "said_total", help: "What was said\nand \\ more.", labels: ["what"] });
    said.add(['a "quoted"\\ line\nbreak']);
    said.add(["b"], 2.5);
    const silent = createCounter({ name: "silent_total", help: "Nothing." });
    const parsed = parseMetrics(renderFamilies([said.family(), silent.family()]));
    expect(parsed.value('said_total{what="a \\"quoted\\"\\\\ line\\nbreak"}')).toBe(1);
    expect(parsed.value('said_total{what="b"}')).toBe(2.5);
    expect(parsed.value("silent_total")).toBe(0);
  });

  it("count a value into every bucket whose bound it does not pass", () => {
    const histogram = createHistogram({ name: "t_seconds", help: "T.", bounds: [0.1, 1] });
    for (const value of [0.05, 0.1, 0.5, 7]) histogram.observe(value);
    const parsed = parseMetrics(renderFamilies([histogram.family()]));
    expect(["0.1", "1", "+Inf"].map((bound) => parsed.value(`t_seconds_bucket{le="${bound}"}`))).toEqual([2, 3, 4]);
    expect(parsed.value("t_seconds_sum")).toBeCloseTo(7.65);
  });

  it("of several processes add up, but for what all of them see alike", () => {
    const process = (count: number, shared: number) => {
      const counter = createCounter({ name: "turns_total", help: "Turns.", labels: ["outcome"] });
      counter.add(["answered"], count);
      const seen = gaugeFamily({ name: "logins", help: "Logins.", merge: "max" }, [[[], shared]]);
      return [counter.family(), seen];
    };
    const parsed = parseMetrics(renderFamilies(mergeFamilies([process(2, 3), process(5, 3)])));
    expect(parsed.value('turns_total{outcome="answered"}')).toBe(7);
    expect(parsed.value("logins")).toBe(3);
  });
});
