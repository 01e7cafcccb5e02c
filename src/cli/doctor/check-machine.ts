import { defaultPort } from "../../gateway/options.ts";
import { findRunning } from "../../gateway/running.ts";
import type { UnderstudyHome } from "../../platform/home.ts";
import { isSupportedNode, oldestNode } from "../../platform/node-version.ts";
import { findPortHolder } from "../../platform/port-holder.ts";
import { codexCallbackPorts } from "../../oauth/codex/browser.ts";
import { type Finding, finding } from "./finding.ts";

/** What this machine brings along: Node, and the ports that are needed now and then. */
export async function checkMachine(home: UnderstudyHome): Promise<Finding[]> {
  const node = isSupportedNode(process.version)
    ? finding("Node", "ok", process.version)
    : finding("Node", "broken", `${process.version}; ${oldestNode} or newer is needed`);
  return [node, ...(await checkGateway(home)), ...checkCallbackPorts()];
}

async function checkGateway(home: UnderstudyHome): Promise<Finding[]> {
  const url = await findRunning(home);
  if (url !== null) return [finding("gateway", "ok", `runs at ${url}`)];
  const holder = findPortHolder(defaultPort);
  if (holder === null) return [];
  const words = `its port ${defaultPort} is held by ${holder.name} (pid ${holder.pid})`;
  return [finding("gateway", "warning", words, "understudy serve --port 0")];
}

/** Only a sign-in with the browser needs them, and it needs one. */
function checkCallbackPorts(): Finding[] {
  const holders = codexCallbackPorts.map((port) => ({ port, holder: findPortHolder(port) }));
  if (holders.some(({ holder }) => holder === null)) return [];
  const names = holders.map(
    ({ port, holder }) => `${port} is held by ${holder?.name ?? ""} (pid ${holder?.pid ?? ""})`,
  );
  const words = `the browser can't come back from OpenAI: port ${names.join(", port ")}`;
  return [finding("sign-in", "warning", words, "understudy auth add codex --device")];
}
