import { readdirSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { type CliStage, openCliStage } from "./rig.ts";

const stage: CliStage = await openCliStage();
afterAll(() => stage[Symbol.asyncDispose]());

describe("demo", () => {
  it("ends at the first Ctrl-C, and leaves nothing behind", async () => {
    const demo = stage.start(["demo"], { env: { TMPDIR: stage.home } });
    await demo.until(/Act 1/);
    demo.child.kill("SIGINT");
    const { code, signal, stdout } = await demo.ended;
    expect({ code, signal }).toEqual({ code: 130, signal: null });
    expect(stdout).not.toMatch(/Act 7/);
    expect(readdirSync(stage.home).filter((name) => name.startsWith("understudy-demo-"))).toEqual([]);
  });
});
