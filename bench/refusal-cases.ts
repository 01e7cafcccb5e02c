import { median } from "./numbers.ts";
import { type OwnCase, type OwnContext, type Row, withGateway, workOf, warm, runInProcess } from "./own-case.ts";
import { refusal, softFailure, streamAnswer, wholeAnswer } from "./payloads.ts";
import { runSlice } from "./side-by-side.ts";

/**
 * A key that was refused rests for a second at least, so eight keys can't be refused as often as a busy gateway is asked: both works come by
 * the clock, and what is compared is what a stream costs.
 */
export const softFailures: OwnCase = {
  name: "soft-failures",
  title:
    "10 % of the streams fail in their head, 8 credentials, 40 streams/s: CPU of a healthy stream over that of one of these",
  run: (context) =>
    withGateway(
      context,
      (folder) => {
        const healthy = streamAnswer(folder, "healthy", 196);
        const [, , file = ""] = healthy.line.split(" ");
        return [
          { name: "healthy", ...healthy },
          ...["soft", "crowd"].map((name) => {
            const line = `${name} every 10 ${file} ${softFailure(folder, `${name}-failed`)}`;
            return { name, ...healthy, line };
          }),
        ];
      },
      async (stage, gateway) => {
        const [healthy, soft] = (["healthy", "soft"] as const).map((name) => ({ ...workOf(name, 64, 196), rate: 40 }));
        if (healthy === undefined || soft === undefined) throw new Error("there are two works");
        await warm(stage, gateway, workOf("healthy", 32, 196), 2_000, 6_000);
        // Few hand-overs a second are measured. Where there are more keys, there can be as many as it takes for their code to be optimised.
        await warm(stage, gateway, { ...workOf("crowd", 64, 196), rate: 400 }, 8_000, 25_000);
        await warm(stage, gateway, soft, 80, 3_000);
        await stage.upstream.reset();
        const ratios: number[] = [];
        let asked = 0;
        for (let round = 0; round < (context.quick ? 5 : 25); round++) {
          const costs = new Map<string, number>();
          for (const work of round % 2 === 0 ? [healthy, soft] : [soft, healthy]) {
            const { load, cpuNs } = await runSlice(stage, gateway, work, { ms: 2_000, warmMs: 0 });
            costs.set(work.name, cpuNs / load.total);
            asked += load.total;
          }
          ratios.push((costs.get("healthy") ?? Number.NaN) / (costs.get("soft") ?? Number.NaN));
        }
        const { requests } = await stage.upstream.stats();
        return [
          { what: "healthy ÷ with failures", value: median(ratios), unit: "×", goal: { least: 0.85, raised: 0.9 } },
          { what: "failures that no client saw", value: requests - asked, unit: "" },
        ];
      },
      { crowd: ["crowd"] },
    ),
};

export const handOver: OwnCase = {
  name: "hand-over",
  title:
    "a provider refuses with 429, the next attempt goes out: inside the gateway, and seen from the provider, both ways over the wire included",
  run: async (context) => [...(await handOverOnTheWire(context)), ...(await handOverInside())],
};

/** From the refusal being there until the next attempt has been written. */
async function handOverInside(): Promise<Row[]> {
  const { handOvers, p50Ms, p99Ms } = await runInProcess<Record<"handOvers" | "p50Ms" | "p99Ms", number>>("hand-over");
  if (handOvers < 100) throw new Error(`only ${handOvers} hand-overs were seen inside`);
  return [
    { what: "inside the gateway, p50", value: p50Ms, unit: "ms", goal: { most: 0.3, raised: 0.25 } },
    { what: "inside the gateway, p99", value: p99Ms, unit: "ms", goal: { most: 3, raised: 1 } },
  ];
}

function handOverOnTheWire(context: OwnContext): Promise<Row[]> {
  return withGateway(
    context,
    (folder) => {
      const answer = wholeAnswer(folder, "refused");
      const [, , file = ""] = answer.line.split(" ");
      return [
        { name: "healthy", ...wholeAnswer(folder, "healthy") },
        { name: "refused", ...answer, line: `refused every 2 ${file} ${refusal(folder, "refusal")}` },
      ];
    },
    async (stage, gateway) => {
      await warm(stage, gateway, workOf("healthy", 32, 0), 3_000, 5_000);
      // One at a time, or it could not be told whose next attempt it is; and not so often that all keys rest.
      const work = { ...workOf("refused", 1, 0), rate: 60 };
      await warm(stage, gateway, work, 120, 3_000);
      await stage.upstream.reset();
      const { load } = await runSlice(stage, gateway, work, { ms: context.quick ? 6_000 : 20_000, warmMs: 0 });
      const { requests, handOvers, handOverP50Us, handOverP99Us } = await stage.upstream.stats();
      if (handOvers < 100) throw new Error(`only ${handOvers} hand-overs were seen`);
      return [
        { what: "seen from the provider, p50", value: handOverP50Us / 1_000, unit: "ms" },
        { what: "seen from the provider, p99", value: handOverP99Us / 1_000, unit: "ms" },
        { what: "refusals that no client saw", value: requests - load.total, unit: "" },
      ];
    },
    { keys: 120 },
  );
}
