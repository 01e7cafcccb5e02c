import { readdirSync, readFileSync } from "node:fs";

/** CPU time that a process has used so far, in ns, all threads. Threads that have ended are not in it. */
export function cpuNs(pid: number): number {
  return sumOfTasks(pid, 0);
}

/** How long a process's threads were ready to run and had to wait for a core so far, in ns. */
export function waitedNs(pid: number): number {
  return sumOfTasks(pid, 1);
}

function sumOfTasks(pid: number, column: 0 | 1): number {
  let sum = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      sum += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[column]);
    } catch {
      // The thread has ended meanwhile.
    }
  }
  return sum;
}

/** Resident memory of a process, in bytes. */
export function residentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(line?.[1] ?? 0) * 1024;
}

/** Open sockets of a process. */
export function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
