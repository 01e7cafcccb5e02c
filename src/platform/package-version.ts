import { readFileSync } from "node:fs";
import { join } from "node:path";

let version: string | null = null;

/** The version of this package, from its package.json two folders above: so from `src/`, from `dist/`, and from the bundle. */
export function readPackageVersion(): string {
  if (version === null) {
    const text = readFileSync(join(import.meta.dirname, "../../package.json"), "utf8");
    ({ version } = JSON.parse(text) as { version: string });
  }
  return version;
}
