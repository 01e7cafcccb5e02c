import { fstatSync } from "node:fs";

/** True when a person sits at this descriptor. What is no device is known without loading what knows terminals: 3 ms of every start. */
export function isTerminal(descriptor: 0 | 1 | 2): boolean {
  try {
    if (!fstatSync(descriptor).isCharacterDevice()) return false;
  } catch {
    return false;
  }
  return process.getBuiltinModule("node:tty").isatty(descriptor);
}
