// Starts the gateway as its users do, asks it, and ends it; prints what came of that as one JSON line.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const program = join(import.meta.dirname, "node_modules/understudy/dist/cli/main.js");
const child = spawn(process.execPath, [program, "serve", "--port", "0"], { stdio: ["ignore", "pipe", "pipe"] });
let said = "";
let complaints = "";
child.stderr.setEncoding("utf8").on("data", (text) => (complaints += text));
const exited = once(child, "exit");
process.on("exit", () => child.kill("SIGKILL"));
const url = await new Promise((resolve, reject) => {
  child.stdout.setEncoding("utf8").on("data", (text) => {
    said += text;
    const found = /http:\/\/[\d.]+:\d+/.exec(said)?.[0];
    if (found !== undefined) resolve(found);
  });
  void exited.then(() => reject(new Error(`it ended: ${said}${complaints}`)));
});
const health = await fetch(`${url}/health`);
const models = await fetch(`${url}/v1/models`);
await Promise.all([health.text(), models.text()]);
child.kill("SIGTERM");
const [code] = await exited;
// What Node or V8 don't know they complain of, and go on.
const odd = complaints.split("\n").filter((line) => /unrecognized|bad option|warning/i.test(line));
console.log(JSON.stringify({ health: health.status, withoutKey: models.status, code, odd }));
