// A program in JavaScript that has the package installed: a turn that survives an empty quota, by the scripted providers.
import { createUnderstudy, isUnderstudyError } from "understudy";
import { createGateway, openWorkspace } from "understudy/gateway";
import { startSimulator } from "understudy/testing";
import schema from "understudy/config.schema.json" with { type: "json" };

const simulator = await startSimulator();
const env = { UNDERSTUDY_HOME: process.argv[2], ...simulator.env };
env.ANTHROPIC_API_KEY = simulator.messages.keys.add("a");
env.OPENAI_API_KEY = simulator.openai.keys.add("o");
const config = { routes: { coding: ["anthropic/claude-sonnet-5", "openai/gpt-5.5"] } };

const understudy = await createUnderstudy({ config, env });
simulator.messages.script("quota-exhausted");
const { text, servedBy, switched } = await understudy.turn("hello").answer;
const refused = await understudy.turn("hello", { route: "anthropic/claude-sonnet-5" }).answer.catch((error) => error);
const reply = await understudy.fetch("http://unused/v1/responses", {
  method: "POST",
  body: JSON.stringify({ model: "coding", input: "hello" }),
});
await understudy.close();

const workspace = await openWorkspace({ config, env });
const gateway = await createGateway({ workspace, clientKey: "a-key-of-this-consumer", port: 0 });
const health = await fetch(`${gateway.url}/health`);
await gateway.close();
await workspace.close();
await simulator.close();

const facts = {
  text,
  servedBy: servedBy.provider,
  switched,
  refused: isUnderstudyError(refused, "turn_failed"),
  fetch: reply.status,
  gateway: health.status,
  schema: schema.title,
};
console.log(JSON.stringify(facts));
