import { statfsSync } from "node:fs";

/** How SQLite makes a commit whole: a write-ahead log, or a rollback journal that is deleted. */
export type JournalMode = "wal" | "delete";

/**
 * File systems on which a write-ahead log is not safe, by the magic number of statfs(2). The log's index is shared memory, which
 * ends at the machine, or (9p, the Windows disks of WSL) is not shared at all: https://www.sqlite.org/wal.html#overview
 */
const withoutSharedMemory: ReadonlySet<number> = new Set([
  0x6969, // NFS
  0x517b, // SMB
  0xff534d42, // CIFS
  0xfe534d42, // SMB 2
  0x01021997, // 9p
]);

/** The mode for a store in `folder`. */
export function chooseJournalMode(folder: string): JournalMode {
  return journalModeFor(statfsSync(folder).type);
}

/** The mode for a file system of this type. */
export function journalModeFor(fileSystemType: number): JournalMode {
  // Some systems give the number as a signed one.
  return withoutSharedMemory.has(fileSystemType >>> 0) ? "delete" : "wal";
}
