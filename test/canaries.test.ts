import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { request } from "node:http";
import { join, relative } from "node:path";
import { expect, it } from "vitest";
import { Secret } from "../src/core/secret.ts";
import type { Workspace } from "../src/workspace.ts";
import type { BehaviourName } from "../src/simulator/faults.ts";
import type { IssuerFaultName } from "../src/simulator/issuer/issuer-faults.ts";
import { type CliStage, openCliStage } from "./cli/rig.ts";

/** Files whose whole purpose is to hold a key; they are for their owner only. */
const keyFiles = new Set(["client.key", "admin.key"]);

/** What all providers answer with, for one turn each. */
const faults: readonly BehaviourName[] = [
  "echo-key",
  "unauthorized",
  "forbidden",
  "waf-page",
  "invalid-request",
  "malformed-event",
  "redirect",
  "echo-key",
];

/** What each of them answers with once, since it is asked again after a moment. */
const passingFaults: readonly BehaviourName[] = ["html-502", "soft-failed", "broken-json-200", "cut-mid-text"];

/** What the sign-in server answers a refresh with; some repeat tokens or lose them. */
const issuerFaults: readonly IssuerFaultName[] = [
  "html-200",
  "detail-body",
  "unreadable-401",
  "body-cut",
  "refresh-token-reused",
  "garbage-id-token",
];

/** Everything that was put out, by where it came from. */
class Traces {
  readonly #bytes = new Map<string, Buffer[]>();

  add(where: string, content: string | Buffer): void {
    const known = this.#bytes.get(where) ?? [];
    known.push(Buffer.from(content));
    this.#bytes.set(where, known);
  }

  addFolder(root: string, folder = root): void {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (statSync(path).isDirectory()) this.addFolder(root, path);
      else if (!keyFiles.has(name)) this.add(`file ${relative(root, path)}`, readFileSync(path));
    }
  }

  /** `where: form of name` for every secret that is in what was put out, in a form that could be read back. */
  find(secrets: ReadonlyMap<string, Buffer>): string[] {
    const all = [...this.#bytes].map(([where, parts]) => [where, Buffer.concat(parts)] as const);
    return [...secrets].flatMap(([name, secret]) =>
      Object.entries(formsOf(secret)).flatMap(([form, bytes]) =>
        all.filter(([, content]) => content.includes(bytes)).map(([where]) => `${where}: ${name} ${form}`),
      ),
    );
  }

  get places(): string[] {
    return [...this.#bytes.keys()];
  }

  get size(): number {
    return [...this.#bytes.values()].flat().reduce((total, part) => total + part.length, 0);
  }
}

/** A secret as it is, as it may be written, and its end alone: of a token the beginning is everybody's. */
function formsOf(secret: Buffer): Record<string, Buffer> {
  const text = secret.toString("latin1");
  return {
    "as it is": secret,
    "in base64": Buffer.from(secret.toString("base64").replace(/=+$/, "")),
    "in base64url": Buffer.from(secret.toString("base64url")),
    "in hex": Buffer.from(secret.toString("hex")),
    "in an address": Buffer.from(encodeURIComponent(text)),
    "by its end": secret.subarray(-24),
  };
}

interface Reply {
  readonly status: number;
  readonly text: string;
}

function ask(url: string, key: string, body?: object, enough?: RegExp): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json", "x-understudy-page": "1" };
    const asking = request(url, { method: body === undefined ? "GET" : "POST", headers, agent: false }, (response) => {
      let text = `${response.statusCode} ${JSON.stringify(response.headers)}\n`;
      const done = (): void => resolve({ status: response.statusCode ?? 0, text });
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
        if (enough?.test(text) === true) response.destroy();
      });
      response.on("close", done).on("error", done);
    });
    asking.on("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const question = (stream: boolean) => ({
  "/v1/responses": { model: "coding", input: "hello", stream },
  "/v1/chat/completions": { model: "coding", messages: [{ role: "user", content: "hello" }], stream },
  "/v1/messages": { model: "coding", max_tokens: 99, messages: [{ role: "user", content: "hello" }], stream },
});

/** Codex logins whose access token is over, and a key at every other provider. */
async function fill(stage: CliStage, { store }: Workspace): Promise<void> {
  const { codexIssuer, openai, messages, chat } = stage.simulator;
  for (const name of ["ann", "ben", "cyd"]) {
    const account = codexIssuer.addAccount({ email: `${name}@example.test`, name });
    const tokens = codexIssuer.issueTokens(account, { expiresInS: 1 });
    await store.saveLogin({
      provider: "codex",
      label: name,
      account: { id: account.accountId, userId: account.userId, email: account.email, plan: account.plan },
      grant: {
        accessToken: new Secret(tokens.accessToken),
        refreshToken: new Secret(tokens.refreshToken),
        idToken: new Secret(tokens.idToken),
        expiresAt: Date.now() - 1,
        obtainedAt: Date.now(),
        issuer: codexIssuer.origin,
      },
      at: Date.now(),
    });
  }
  for (const [provider, backend] of Object.entries({ openai, anthropic: messages, local: chat })) {
    const secret = new Secret(backend.keys.add(`${provider}-key`));
    await store.addApiKey({ provider, label: provider, source: { from: "stored", secret }, at: Date.now() });
  }
}

it("no secret is in anything that a gateway puts out or writes, whatever goes wrong and whatever is echoed", async () => {
  await using stage = await openCliStage(
    ({ baseUrls }) => `
routes: { coding: [codex/gpt-5.5, openai/gpt-5.5, anthropic/claude-opus-4-8, local/qwen3] }
providers:
  codex: { baseUrl: "${baseUrls.codex}", issuer: "${baseUrls.codexIssuer}" }
  openai: { baseUrl: "${baseUrls.openai}" }
  anthropic: { baseUrl: "${baseUrls.messages}" }
  local: { protocol: chat-completions, baseUrl: "${baseUrls.chat}", apiKeyEnv: LOCAL_KEY }
limits: { maxWaitMs: 0 }
`,
  );
  const { simulator } = stage;
  const sealingKey = randomBytes(32);
  stage.setEnv({ UNDERSTUDY_KEY: sealingKey.toString("base64"), DEBUG: "*", NODE_DEBUG: "http,net" });
  await stage.withWorkspace((workspace) => fill(stage, workspace));
  const traces = new Traces();

  const reports = ["--report-on-signal", `--report-directory=${stage.home}`, "--report-filename=report.json"];
  const serving = stage.start(["serve", "--port", "0", "--json"], { nodeArgs: reports });
  await serving.until(/"type":"listening"/);
  const { url } = JSON.parse(/^\{"type":"listening".*$/m.exec(serving.stdout)?.[0] ?? "{}") as { url: string };
  const keyIn = (name: string): string => readFileSync(join(stage.home, name), "utf8").trim();
  const [clientKey, adminKey] = [keyIn("client.key"), keyIn("admin.key")];

  const asks = Object.entries(question(true)).concat(Object.entries(question(false)));
  const asking = async (n: number): Promise<void> => {
    const [path = "", body] = asks[n % asks.length] ?? [];
    traces.add(`answer of ${path}`, (await ask(`${url}${path}`, clientKey, body)).text);
  };
  const backends = [simulator.codex, simulator.openai, simulator.messages, simulator.chat];
  await stage.withWorkspace(async ({ store }) => {
    for (const [n, fault] of faults.entries()) {
      for (const backend of backends) backend.setBehaviour("*", fault);
      const issuerFault = issuerFaults[n];
      if (issuerFault !== undefined) simulator.codexIssuer.script(issuerFault);
      await asking(n);
      // Nobody rests, so that the next fault meets everybody again.
      await store.clearCooldowns({});
    }
    for (const backend of backends) {
      backend.setBehaviour("*", "answer");
      for (const fault of passingFaults) backend.script(fault);
    }
    await Promise.all(asks.map((_, n) => asking(n)));
  });
  traces.add("refusal of a wrong key", (await ask(`${url}/v1/models`, `${clientKey}x`)).text);
  for (const path of ["/v1/models", "/metrics", "/health", "/ready", "/"]) {
    traces.add(path, (await ask(url + path, clientKey)).text);
  }
  const live = await ask(`${url}/admin/live`, adminKey, undefined, /"turns"/);
  expect(live.status).toBe(200);
  traces.add("page", live.text);

  const commands = ["doctor --json", "auth list --json", "why --json", "usage --json --cached", "store path --json"];
  for (const command of [...commands, "auth status", "why", "config check"]) {
    const running = stage.start(command.split(" "), { nodeArgs: ["--trace-uncaught"] });
    running.child.stdin.end();
    const { stdout, stderr } = await running.ended;
    expect(stdout + stderr, command).not.toBe("");
    traces.add(`understudy ${command}`, stdout + stderr);
  }
  serving.child.kill("SIGUSR2");
  await serving.until(/Node\.js report completed/);
  traces.addFolder(stage.home);
  serving.child.kill("SIGTERM");
  const { stdout, stderr } = await serving.ended;
  traces.add("log of the gateway", stdout + stderr);
  traces.addFolder(stage.home);

  const secrets = new Map(simulator.secrets.filter((one) => one.length >= 12).map((one) => [one, Buffer.from(one)]));
  secrets.set("client key", Buffer.from(clientKey)).set("admin key", Buffer.from(adminKey));
  secrets.set("sealing key", sealingKey);
  expect(traces.find(secrets)).toEqual([]);
  // It has looked at something: at the sealed store, at a log full of failures, and for secrets that were really echoed.
  expect(traces.places).toEqual(
    expect.arrayContaining(["file understudy.db", "file report.json", "log of the gateway", "page"]),
  );
  expect(stdout).toContain("[secret]");
  expect(secrets.size).toBeGreaterThan(12);
  expect(traces.size).toBeGreaterThan(100_000);
  expect(traces.find(new Map([["a word that is there", Buffer.from("attempt-failed")]]))).not.toEqual([]);
}, 60_000);
