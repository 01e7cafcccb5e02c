/** The oldest Node this package runs on: `node:sqlite` and undici need it. */
export const oldestNode: string = "22.19.0";

/** True when `version` (as in `process.version`) is at least `oldestNode`. */
export function isSupportedNode(version: string): boolean {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  const [oldMajor = 0, oldMinor = 0] = oldestNode.split(".").map(Number);
  return major > oldMajor || (major === oldMajor && minor >= oldMinor);
}
