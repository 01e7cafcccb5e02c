import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/parse.ts";
import { editConfig } from "../../src/platform/edit-config.ts";
import { understudyHome } from "../../src/platform/home.ts";
import {
  configDocPath,
  configSchemaPath,
  renderConfigDoc,
  renderConfigSchema,
} from "../../scripts/write-config-docs.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function home() {
  const folder = mkdtempSync(join(tmpdir(), "understudy-config-"));
  folders.push(folder);
  return understudyHome({ UNDERSTUDY_HOME: folder });
}

describe("what is written from the schema of the configuration", () => {
  it("is docs/configuration.md: node scripts/write-config-docs.ts", () => {
    expect(readFileSync(configDocPath, "utf8")).toBe(renderConfigDoc());
  });

  it("is config.schema.json, which is published: node scripts/write-config-docs.ts", () => {
    expect(readFileSync(configSchemaPath, "utf8")).toBe(renderConfigSchema());
  });

  it("stands beside a configuration that is new, named in its first line", async () => {
    const at = home();
    await editConfig(at, () => "routes:\n  coding: [codex/gpt-5.5]\n");
    const text = readFileSync(at.configFile, "utf8");
    expect(text).toBe("# yaml-language-server: $schema=config.schema.json\nroutes:\n  coding: [codex/gpt-5.5]\n");
    expect(parseConfig(text, "config.yaml").ok).toBe(true);
    expect(readFileSync(join(at.configDir, "config.schema.json"), "utf8")).toBe(renderConfigSchema());
  });

  it("is not put beside one that a person wrote, and is renewed where it stands", async () => {
    const at = home();
    writeFileSync(at.configFile, "# mine\n");
    await editConfig(at, (text) => `${text}limits: { maxWaitMs: 0 }\n`);
    expect(readFileSync(at.configFile, "utf8")).toBe("# mine\nlimits: { maxWaitMs: 0 }\n");
    const schema = join(at.configDir, "config.schema.json");
    writeFileSync(schema, "{}");
    await editConfig(at, (text) => `${text}# more\n`);
    expect(readFileSync(schema, "utf8")).toBe(renderConfigSchema());
  });
});
