import { fstatSync, statSync } from "node:fs";
import { devNull } from "node:os";

/**
 * True when a person sits at this descriptor. What is no device, the device that is nothing, and the terminals of Linux are known without
 * loading what knows terminals: 3 to 5 ms of every start.
 */
export function isTerminal(descriptor: 0 | 1 | 2): boolean {
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isCharacterDevice() || stat.rdev === statSync(devNull, { throwIfNoEntry: false })?.rdev) return false;
    if (process.platform === "linux" && isPseudoTerminal(stat.rdev)) return true;
  } catch {
    return false;
  }
  return process.getBuiltinModule("node:tty").isatty(descriptor);
}

/** What a window or a remote session has: https://www.kernel.org/doc/Documentation/admin-guide/devices.txt, majors 136 to 143. */
function isPseudoTerminal(device: number): boolean {
  const major = (device >>> 8) & 0xfff;
  return major >= 136 && major <= 143;
}
