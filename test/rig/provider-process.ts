/**
 * A provider in a process of its own, to be killed: a Messages backend whose answers stall halfway. Prints one line of JSON:
 * `{ baseUrl, key }`, then `held` for each answer that stands still.
 */
import { startSimulator } from "../../src/simulator/simulator.ts";

const simulator = await startSimulator();
const { messages } = simulator;
const key = messages.keys.add("k");
messages.setBehaviour("*", process.argv[2] === "silence" ? "silence" : "stall-mid-text");
console.log(JSON.stringify({ baseUrl: messages.baseUrl, key }));
for (let held = 1; ; held++) {
  await messages.until(() => messages.held >= held);
  console.log("held");
}
