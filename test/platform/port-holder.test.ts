import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { findPortHolder } from "../../src/platform/port-holder.ts";

const header = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
let proc: string;
afterEach(() => rmSync(proc, { recursive: true, force: true }));

function makeProc(
  tcp: readonly string[],
  sockets: Readonly<Record<string, { name: string; inodes: string[] }>>,
): string {
  proc = mkdtempSync(join(tmpdir(), "understudy-proc-"));
  mkdirSync(join(proc, "net"));
  writeFileSync(join(proc, "net/tcp"), [header, ...tcp, ""].join("\n"));
  for (const [pid, { name, inodes }] of Object.entries(sockets)) {
    mkdirSync(join(proc, pid, "fd"), { recursive: true });
    writeFileSync(join(proc, pid, "comm"), `${name}\n`);
    for (const [fd, inode] of inodes.entries()) symlinkSync(`socket:[${inode}]`, join(proc, pid, "fd", String(fd)));
  }
  return proc;
}

const row = (local: string, state: string, inode: string): string =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${inode} 1 0000000000000000`;

describe("who holds a port", () => {
  it("is the process with the listening socket, not one that is only connected", () => {
    makeProc(
      [row("0100007F:05AF", "01", "700"), row("0100007F:05AF", "0A", "701"), row("0100007F:05B1", "0A", "702")],
      {
        12: { name: "browser", inodes: ["700"] },
        34: { name: "codex", inodes: ["99", "701"] },
        56: { name: "other", inodes: ["702"] },
      },
    );
    expect(findPortHolder(1455, proc)).toEqual({ pid: 34, name: "codex" });
    expect(findPortHolder(1457, proc)).toEqual({ pid: 56, name: "other" });
  });

  it("is not known for another person's process, a free port, and without /proc", () => {
    makeProc([row("00000000:05AF", "0A", "701")], {});
    expect(findPortHolder(1455, proc)).toBeNull();
    expect(findPortHolder(80, proc)).toBeNull();
    expect(findPortHolder(1455, join(proc, "nowhere"))).toBeNull();
  });

  it.runIf(process.platform === "linux")("is found on this machine", async () => {
    proc = mkdtempSync(join(tmpdir(), "understudy-proc-"));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    expect(findPortHolder(port)?.pid).toBe(process.pid);
    await new Promise((resolve) => server.close(resolve));
    expect(findPortHolder(port)).toBeNull();
  });
});
