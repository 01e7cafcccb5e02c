import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { spawnPinned } from "./native.ts";
import { Absent, freePort, plainEnv, type Target, target, untilOpen } from "./targets.ts";

/**
 * Other gateways, where `peers/*.sh` has set them up. Each is configured as its own documentation says for one provider at another address,
 * and otherwise left as it comes. They write answers anew, so only the content of those is looked at.
 */

const providerKey = "sk-bench-key-number-0";

/** A Python process imports for seconds before it listens. */
const slowStartMs = 90_000;

export async function startPortkey(upstreamPort: number): Promise<Target> {
  const program = join(peerFolder("portkey"), "node_modules/@portkey-ai/gateway/build/start-server.js");
  if (!existsSync(program)) throw new Absent("Portkey is not set up (bench/peers/portkey.sh)");
  const port = await freePort();
  const child = spawnPinned(process.execPath, [program, "--headless", `--port=${port}`], plainEnv());
  await untilOpen(port, child);
  return {
    ...target("portkey", port, child, null),
    headers: [
      `authorization: Bearer ${providerKey}`,
      "x-portkey-provider: openai",
      `x-portkey-custom-host: http://127.0.0.1:${upstreamPort}/v1`,
    ],
    isExact: false,
  };
}

/** LiteLLM's proxy, one worker, without a database: its master key is the client's. */
export async function startLitellm(upstreamPort: number, models: readonly string[]): Promise<Target> {
  const program = join(peerFolder("litellm"), "venv/bin/litellm");
  if (!existsSync(program)) throw new Absent("LiteLLM is not set up (bench/peers/litellm.sh)");
  const folder = mkdtempSync(join(tmpdir(), "bench-litellm-"));
  const port = await freePort();
  const clientKey = "sk-benchmark-client-key-0123456789";
  const provider = { api_base: `http://127.0.0.1:${upstreamPort}/v1`, api_key: providerKey };
  // JSON is YAML.
  const config = {
    model_list: models.map((name) => ({ model_name: name, litellm_params: { model: `openai/${name}`, ...provider } })),
    general_settings: { master_key: clientKey },
  };
  writeFileSync(join(folder, "config.yaml"), JSON.stringify(config));
  const child = spawnPinned(
    program,
    ["--config", join(folder, "config.yaml"), "--host", "127.0.0.1", "--port", `${port}`, "--num_workers", "1"],
    // Prices come with the package: it calls nobody.
    { ...plainEnv(), LITELLM_LOCAL_MODEL_COST_MAP: "True", LITELLM_TELEMETRY: "False" },
  );
  await untilOpen(port, child, slowStartMs);
  return { ...target("litellm", port, child, folder), headers: [`authorization: Bearer ${clientKey}`], isExact: false };
}

/** Where the scripts of `peers/` put this one. */
function peerFolder(name: string): string {
  return join(process.env["UNDERSTUDY_BENCH_PEERS"] ?? join(homedir(), ".cache/understudy-bench"), name);
}
