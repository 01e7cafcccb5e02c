// pi-ai through a gateway in the same process, by each of its APIs that takes an address, with an account that fails:
//   npm ci --prefix test/clients/pi-ai --ignore-scripts && node test/clients/pi-ai/run.mjs
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { complete, stream } from "@mariozechner/pi-ai";
import { createGateway, openWorkspace } from "../../../src/gateway.ts";
import { startSimulator } from "../../../src/simulator/simulator.ts";

const simulator = await startSimulator();
const home = mkdtempSync(join(tmpdir(), "understudy-pi-ai-"));
const workspace = await openWorkspace({
  config: { routes: { coding: ["anthropic/claude-opus-4-8", "openai/gpt-5.5"] } },
  env: {
    UNDERSTUDY_HOME: home,
    ...simulator.env,
    ANTHROPIC_API_KEY: simulator.messages.keys.add("first"),
    OPENAI_API_KEY: simulator.openai.keys.add("second"),
  },
});
const clientKey = "uk-of-the-gateway-in-this-process";
const gateway = await createGateway({ workspace, clientKey, port: 0 });

const apis = {
  "openai-responses": `${gateway.url}/v1`,
  "openai-completions": `${gateway.url}/v1`,
  "anthropic-messages": gateway.url,
  "mistral-conversations": gateway.url,
};

let failed = 0;
for (const [api, baseUrl] of Object.entries(apis)) {
  const model = {
    id: "coding",
    name: "coding",
    provider: "understudy",
    reasoning: false,
    input: ["text"],
    cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    contextWindow: 200_000,
    maxTokens: 8_000,
    api,
    baseUrl,
  };
  const context = { messages: [{ role: "user", content: `hello by ${api}`, timestamp: 0 }] };
  const expected = `The simulator heard: hello by ${api}`;
  for (const fault of ["healthy", "quota-exhausted", "unauthorized"]) {
    if (fault !== "healthy") simulator.messages.script(fault);
    const before = simulator.openai.requests.length;
    const whole = await complete(model, context, { apiKey: clientKey });
    const stoodIn = simulator.openai.requests.length - before;
    const said = whole.content.map((part) => part.text ?? "").join("");
    check(
      `${api}, ${fault}`,
      said === expected && stoodIn === (fault === "healthy" ? 0 : 1),
      whole.errorMessage ?? said,
    );
    await workspace.store.clearCooldowns({ provider: "anthropic" });
  }
  let text = "";
  for await (const event of stream(model, context, { apiKey: clientKey }))
    if (event.type === "text_delta") text += event.delta;
  check(`${api}, streamed`, text === expected, text);
}
await gateway.close();
await workspace.close();
await simulator.close();
rmSync(home, { recursive: true, force: true });
console.log(`${Object.keys(apis).length * 4 - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

function check(what, isRight, found) {
  if (!isRight) failed++;
  console.log(`${isRight ? "ok    " : "FAILED"} ${what}${isRight ? "" : `: ${found}`}`);
}
