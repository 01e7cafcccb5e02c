import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** A process that listens on a port of this machine. */
export interface PortHolder {
  readonly pid: number;
  /** The program's name, as the system has it. */
  readonly name: string;
}

/**
 * Who listens on a TCP port of this machine, or null when that can't be known: on Linux it is read from /proc, which shows the
 * processes of this user only; elsewhere nothing is known. `proc` is where that file system is mounted.
 */
export function findPortHolder(port: number, proc: string = "/proc"): PortHolder | null {
  try {
    const inodes = new Set(["tcp", "tcp6"].flatMap((table) => listeningInodes(`${proc}/net/${table}`, port)));
    if (inodes.size === 0) return null;
    const pids = readdirSync(proc).filter((name) => /^\d+$/.test(name));
    const pid = pids.find((one) => holdsSocket(`${proc}/${one}/fd`, inodes));
    return pid === undefined ? null : { pid: Number(pid), name: readName(proc, pid) };
  } catch {
    return null;
  }
}

/** The sockets in state LISTEN (0A) on this port, by inode: proc_net_tcp(5). */
function listeningInodes(table: string, port: number): string[] {
  let text: string;
  try {
    text = readFileSync(table, "utf8");
  } catch {
    return [];
  }
  const hexPort = port.toString(16).toUpperCase().padStart(4, "0");
  return text
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = "", , state]) => state === "0A" && local.endsWith(`:${hexPort}`))
    .flatMap((fields) => fields[9] ?? []);
}

function holdsSocket(fdFolder: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(fdFolder).some((fd) => {
      const inode = /^socket:\[(\d+)\]$/.exec(readLink(`${fdFolder}/${fd}`))?.[1];
      return inode !== undefined && inodes.has(inode);
    });
  } catch {
    // Somebody else's process.
    return false;
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

function readName(proc: string, pid: string): string {
  return readFileSync(`${proc}/${pid}/comm`, "utf8").trim();
}
