import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { isOwnerDead, processOwner } from "../../src/platform/process-identity.ts";

const module = fileURLToPath(new URL("../../src/platform/process-identity.ts", import.meta.url));
const printOwner = `const { processOwner } = await import(${JSON.stringify(module)}); console.log(processOwner());`;

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** A process that prints its owner name and lives until it is killed. */
async function startOwner(): Promise<{ child: ChildProcess; owner: string }> {
  const child = spawn(process.execPath, ["-e", `${printOwner} setInterval(() => {}, 1_000);`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  if (child.stdout === null) throw new Error("the child has no output");
  const [line] = await once(child.stdout.setEncoding("utf8"), "data");
  return { child, owner: String(line).trim() };
}

/** This process's owner name with one of its parts (machine, pid, start, random) changed. */
function changed(part: 0 | 1 | 2 | 3, value: string): string {
  return processOwner()
    .split(":")
    .map((text, index) => (index === part ? value : text))
    .join(":");
}

describe("processOwner", () => {
  it("names this process, and each asker in it apart", () => {
    const [first, second] = [processOwner(), processOwner()];
    expect(first).not.toBe(second);
    expect(first.split(":")).toHaveLength(4);
    expect(first.split(":").slice(0, 3)).toEqual(second.split(":").slice(0, 3));
    expect(first.split(":")[1]).toBe(String(process.pid));
  });
});

describe("isOwnerDead", () => {
  it("is false for a living process and true as soon as it was killed", async () => {
    const { child, owner } = await startOwner();
    expect(isOwnerDead(owner)).toBe(false);
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
    expect(isOwnerDead(owner)).toBe(true);
  });

  it("is false for a frozen process", async () => {
    const { child, owner } = await startOwner();
    child.kill("SIGSTOP");
    expect(isOwnerDead(owner)).toBe(false);
  });

  it("is false for this process, whichever of its owners is asked for", () => {
    expect(isOwnerDead(processOwner())).toBe(false);
    expect(isOwnerDead(changed(3, "0".repeat(12)))).toBe(false);
  });

  it("is true for a process that ended and whose parent has not collected it", {
    skip: !existsSync("/proc"),
  }, async () => {
    // The shell's child has ended, and the shell has become a program that collects no children.
    const shell = spawn("sh", ["-c", `"$0" -e '${printOwner}' & exec sleep 60`, process.execPath], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(shell);
    const [line] = await once(shell.stdout.setEncoding("utf8"), "data");
    const owner = String(line).trim();
    await expect.poll(() => isOwnerDead(owner), { timeout: 10_000 }).toBe(true);
    expect(readFileSync(`/proc/${owner.split(":")[1]}/stat`, "utf8")).toContain(") Z ");
  });

  it("is true for an earlier process with the pid of a living one", { skip: !existsSync("/proc") }, () => {
    expect(isOwnerDead(changed(2, "1"))).toBe(true);
  });

  it("is false where the start is not known and the pid is in use", () => {
    expect(isOwnerDead(changed(2, "-"))).toBe(false);
  });

  it.each([
    ["another machine, boot or container", 0, "somewhere"],
    ["another machine with a boot time", 0, "host@1790000000"],
  ] as const)("is false for %s, since nobody here can know", (_, part, value) => {
    const gone = changed(part, value).replace(`:${process.pid}:`, ":4194305:");
    expect(isOwnerDead(gone)).toBe(false);
    // The same pid on this machine is certainly gone.
    expect(isOwnerDead(changed(1, "4194305"))).toBe(true);
  });

  it.each(["", "a", ":::", "a:b:c:d", `${"x".repeat(10)}:-1:1:ff`, "m:0:1:ff", "m:1:1:ff:more"])(
    "is false for %j, which no process has made",
    (owner) => {
      expect(isOwnerDead(owner)).toBe(false);
    },
  );

  it("goes by host, boot time and pid where there is no /proc", async () => {
    const none = "/nowhere/proc";
    const owner = processOwner(none);
    const [machine = "", pid, started] = owner.split(":");
    expect([pid, started]).toEqual([String(process.pid), "-"]);
    expect(isOwnerDead(owner, none)).toBe(false);
    const gone = owner.replace(`:${process.pid}:`, ":4194305:");
    expect(isOwnerDead(gone, none)).toBe(true);
    const [host = "", bootedAt = ""] = machine.split("@");
    const bootedElsewhen = (seconds: number): string => gone.replace(machine, `${host}@${Number(bootedAt) + seconds}`);
    expect(isOwnerDead(bootedElsewhen(1), none)).toBe(true);
    expect(isOwnerDead(bootedElsewhen(60), none)).toBe(false);
    expect(isOwnerDead(gone.replace(host, "another-host"), none)).toBe(false);
    // Who has /proc can't tell whether it is the same machine.
    expect(isOwnerDead(gone, "/proc")).toBe(!existsSync("/proc"));
  });

  it.each(["0", "-1", "99999999999", "1.5", ""])("is false for the pid %j", (pid) => {
    expect(isOwnerDead(changed(1, pid))).toBe(false);
  });
});
