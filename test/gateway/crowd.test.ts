import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { openGatewayRig } from "./rig.ts";

/** Opens so many connections at once, and prints how many of them were there after a moment. */
const crowd = `
  const [port, count] = process.argv.slice(1).map(Number);
  let open = 0;
  for (let i = 0; i < count; i++) require("node:net").connect(port, "127.0.0.1").on("connect", () => open++).on("error", () => {});
  setTimeout(() => { console.log(open); process.exit(); }, 400);
`;

const isPossible =
  process.platform === "linux" && Number(readFileSync("/proc/sys/net/core/somaxconn", "utf8")) >= 1_000;

it.skipIf(!isPossible)("a crowd that comes while the gateway is busy is let in, all of it", async () => {
  await using rig = await openGatewayRig();
  // While this waits, the gateway in the same process takes nobody.
  const open = execFileSync(process.execPath, ["-e", crowd, `${rig.gateway.port}`, "1000"], { encoding: "utf8" });
  expect(Number(open)).toBe(1_000);
  expect((await rig.ask("/health")).status).toBe(200);
});
