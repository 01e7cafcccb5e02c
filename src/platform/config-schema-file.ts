import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { writeConfigFile } from "./write-config-file.ts";

const schemaName = "config.schema.json";

/** What editors look for at the top of a YAML file. */
const schemaLine = `# yaml-language-server: $schema=${schemaName}\n`;

/**
 * The text of a new configuration as editors can check and complete it: the JSON Schema of this version is put beside the file, and the
 * first line names it. One that can't be written is no reason not to write the configuration: then there is no such line.
 */
export function withSchema(configFile: string, text: string): string {
  return text.startsWith("# yaml-language-server:") || !putSchema(configFile) ? text : schemaLine + text;
}

/** Brings a schema that stands beside the configuration up to this version. */
export function renewSchema(configFile: string): void {
  if (existsSync(join(dirname(configFile), schemaName))) putSchema(configFile);
}

function putSchema(configFile: string): boolean {
  try {
    // In the package's own folder, two above this file: so from `src/`, from `dist/`, and from the bundle.
    const schema = readFileSync(new URL(`../../${schemaName}`, import.meta.url), "utf8");
    const file = join(dirname(configFile), schemaName);
    if (!existsSync(file) || readFileSync(file, "utf8") !== schema) writeConfigFile(file, schema);
    return true;
  } catch {
    return false;
  }
}
