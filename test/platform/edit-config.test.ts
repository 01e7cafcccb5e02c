import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { editConfig } from "../../src/platform/edit-config.ts";
import { understudyHome } from "../../src/platform/home.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "understudy-edit-"));
  writeFileSync(join(folder, "config.yaml"), "routes: {}\n");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const add = (line: string) =>
  editConfig(understudyHome({ UNDERSTUDY_HOME: folder }), (text) => Promise.resolve(`${text}# ${line}\n`));
const text = () => readFileSync(join(folder, "config.yaml"), "utf8");

describe("changes of the configuration at the same moment", () => {
  it("are written, or refused: none is lost that was called done", async () => {
    const results = await Promise.allSettled(["a", "b", "c", "d"].map(add));
    const done = results.filter(({ status }) => status === "fulfilled");
    expect(text().match(/^# /gm)).toHaveLength(done.length);
    expect(done.length).toBeGreaterThan(0);
    for (const result of results) {
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "config_invalid" });
    }
    expect(readdirSync(folder)).toEqual(["config.yaml"]);
  });

  it("are all written where each can be worked out anew", async () => {
    const names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    const append = (name: string) =>
      editConfig(
        understudyHome({ UNDERSTUDY_HOME: folder }),
        (before) => Promise.resolve(`${before}# ${name}\n`),
        "again",
      );
    expect(await Promise.all(names.map(append))).toEqual(names.map(() => true));
    expect(
      text()
        .match(/(?<=^# )./gm)
        ?.toSorted(),
    ).toEqual(names);
    expect(readdirSync(folder)).toEqual(["config.yaml"]);
  });

  it("are not held up by a lock that somebody left behind", async () => {
    const lock = join(folder, ".config.yaml.lock");
    writeFileSync(lock, "");
    utimesSync(lock, 1, 1);
    expect(await add("a")).toBe(true);
    expect(readdirSync(folder)).toEqual(["config.yaml"]);
  });
});
