import { readFileSync, readlinkSync } from "node:fs";
import { hostname, uptime } from "node:os";

const procFolder = "/proc";

/**
 * A name for this process that another one can check: `machine:pid:start:random`. Each call gives another random part, so
 * that two keepers in one process are two owners.
 *
 * `machine` is the boot and the process namespace that the pid belongs to (a container has pids of its own); without /proc
 * it is host name and boot time. `start` is the process's start in clock ticks after boot, or `-`; it tells a process from
 * a later one with the same pid. `proc` is where that file system is mounted, if at all.
 */
export function processOwner(proc: string = procFolder): string {
  const start = readStat(process.pid, proc)?.start ?? "-";
  const { randomBytes } = process.getBuiltinModule("node:crypto");
  return [readMachine(proc), process.pid, start, randomBytes(6).toString("hex")].join(":");
}

/**
 * True only when the process that `owner` names is certainly dead: it ran on this machine since this boot, and its pid is gone, has
 * ended without being collected, or belongs to a process that started at another time. Anything else, also any
 * text that `processOwner` never made, is false.
 */
export function isOwnerDead(owner: string, proc: string = procFolder): boolean {
  const parts = /^([^:]+):(\d{1,10}):(\d+|-):[0-9a-f]+$/.exec(owner);
  if (parts === null) return false;
  const [, machine = "", pidText = "", start = "-"] = parts;
  const pid = Number(pidText);
  if (pid <= 0 || !isSameMachine(machine, readMachine(proc))) return false;
  if (!isRunning(pid)) return true;
  const stat = readStat(pid, proc);
  if (stat === null) return false;
  return stat.ended || (start !== "-" && stat.start !== start);
}

/** Linux: boot and namespaces. Elsewhere: host name and boot time, since host names alone are not unique. */
function readMachine(proc: string): string {
  try {
    const boot = readFileSync(`${proc}/sys/kernel/random/boot_id`, "utf8").trim();
    return [boot, readNamespace(proc, "pid"), readNamespace(proc, "time")].join("/");
  } catch {
    const bootedAt = Math.round(Date.now() / 1_000 - uptime());
    return `${encodeURIComponent(hostname())}@${bootedAt}`;
  }
}

/** The number of a namespace of this process; throws without /proc. The time namespace shifts start times (Linux 5.6). */
function readNamespace(proc: string, name: "pid" | "time"): string {
  try {
    return readlinkSync(`${proc}/self/ns/${name}`).replace(/\D/g, "");
  } catch (error) {
    if (name === "time") return "";
    throw error;
  }
}

/** A boot time is computed from two clocks, so it may be off by a few seconds; two machines' boot times rarely are so close. */
function isSameMachine(theirs: string, ours: string): boolean {
  if (theirs === ours) return true;
  const [theirHost, theirBoot] = theirs.split("@");
  const [ourHost, ourBoot] = ours.split("@");
  if (theirBoot === undefined || ourBoot === undefined) return false;
  return theirHost === ourHost && Math.abs(Number(theirBoot) - Number(ourBoot)) <= 3;
}

/** False only when the system says that there is no such process. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}

/** State and start of a process, proc_pid_stat(5) fields 3 and 22; null where /proc does not tell. */
function readStat(pid: number, proc: string): { start: string; ended: boolean } | null {
  try {
    const text = readFileSync(`${proc}/${pid}/stat`, "utf8");
    // The second field is the program's name in parentheses and may itself hold blanks and parentheses.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const [state = "", start] = [fields[0], fields[19]];
    return start === undefined ? null : { start, ended: state === "Z" || state === "X" };
  } catch {
    return null;
  }
}
