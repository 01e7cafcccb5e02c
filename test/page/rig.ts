import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { expect } from "vitest";
import { createGateway, type Gateway } from "../../src/gateway.ts";
import { type Simulator, startSimulator } from "../../src/simulator/simulator.ts";
import { openWorkspace } from "../../src/workspace.ts";
import { TestStage } from "../rig/stage.ts";

const root = resolve(import.meta.dirname, "../..");
const pageFolder = join(root, "dist/page");

/** Pictures of the last run. */
const pictures = join(root, "test-results/page");

export const clientKey = "uk-canary-of-the-client-key-0123456789";
export const adminKey = "ua-canary-of-the-admin-key-0123456789";

/** Debian's. The tests that need one are skipped without it, but not in continuous integration. */
export const chromiumPath = "/usr/bin/chromium";
export const hasChromium: boolean = existsSync(chromiumPath);

/** Builds the page if a source of it is newer. */
export function buildPageIfOld(): void {
  const newest = Math.max(
    ...readdirSync(join(root, "page"), { recursive: true, encoding: "utf8" }).map(
      (name) => statSync(join(root, "page", name)).mtimeMs,
    ),
    statSync(join(root, "scripts/build-page.ts")).mtimeMs,
  );
  const built = statSync(join(pageFolder, "index.html"), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (built > newest) return;
  const env = { ...process.env, NODE_ENV: "production" };
  const { status, stderr } = spawnSync(process.execPath, ["scripts/build-page.ts"], {
    cwd: root,
    env,
    encoding: "utf8",
  });
  expect(status, stderr).toBe(0);
}

/** A browser without a screen, which calls nobody but the gateway. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** An installation with its configuration in a file, scripted providers, and a gateway with its page on a free port. */
export class PageStage implements AsyncDisposable {
  readonly stage: TestStage;
  gateway: Gateway;
  /** Bodies of everything that any browser was sent. */
  readonly sent: string[] = [];
  /** Where requests went that did not stay here, and what broke the page's own rules. */
  readonly faults: string[] = [];
  readonly #contexts: BrowserContext[] = [];

  constructor(stage: TestStage, gateway: Gateway) {
    this.stage = stage;
    this.gateway = gateway;
  }

  get simulator(): Simulator {
    return this.stage.simulator;
  }

  get configText(): string {
    return readFileSync(this.stage.workspace.home.configFile, "utf8");
  }

  /** Another gateway takes the place of one that was closed, on the same port. */
  replaceGateway(gateway: Gateway): void {
    this.gateway = gateway;
  }

  /** A window at the page. `key`: with the key entered. */
  async open(browser: Browser, options: { key?: boolean; width?: number; dark?: boolean } = {}): Promise<Page> {
    const { key = true, width = 1280, dark = false } = options;
    const context = await browser.newContext({
      viewport: { width, height: width < 600 ? 844 : 900 },
      colorScheme: dark ? "dark" : "light",
      reducedMotion: "reduce",
      timezoneId: Intl.DateTimeFormat().resolvedOptions().timeZone,
      ...(width < 600 ? { isMobile: true, hasTouch: true, deviceScaleFactor: 1.5 } : {}),
    });
    context.setDefaultTimeout(15_000);
    this.#contexts.push(context);
    if (key) await context.addInitScript(`sessionStorage.setItem("understudy-admin-key", ${JSON.stringify(adminKey)})`);
    context.on("request", (request) => {
      if (!request.url().startsWith(`${this.gateway.url}/`)) this.faults.push(`a request left: ${request.url()}`);
    });
    context.on("response", (response) => {
      if (/\/admin\/(live|sign-ins)/.test(response.url())) return;
      response.text().then(
        (text) => this.sent.push(text),
        () => {},
      );
    });
    const page = await context.newPage();
    page.on("console", (message) => {
      // A refused key is the gateway's right answer.
      if (message.type() === "error" && !message.text().includes("401")) this.faults.push(message.text());
    });
    page.on("pageerror", (error) => this.faults.push(String(error)));
    await page.goto(`${this.gateway.url}/`);
    return page;
  }

  /** One model call of a client, to its end. */
  async call(model = "coding", prompt = "hello"): Promise<{ status: number; text: string; turnId: string }> {
    const response = await this.begin(model, prompt);
    return {
      status: response.status,
      text: await response.text(),
      turnId: response.headers.get("x-understudy-turn") ?? "",
    };
  }

  /** The same, until its answer has begun. */
  begin(model = "coding", prompt = "hello"): Promise<Response> {
    return fetch(`${this.gateway.url}/v1/responses`, {
      method: "POST",
      headers: { authorization: `Bearer ${clientKey}`, "content-type": "application/json" },
      body: JSON.stringify({ model, input: prompt, stream: true }),
    });
  }

  async closeWindows(): Promise<void> {
    await Promise.all(this.#contexts.splice(0).map((context) => context.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.closeWindows();
    this.simulator.release();
    await this.gateway.close();
    await this.stage[Symbol.asyncDispose]();
    expect(this.faults).toEqual([]);
  }
}

/** The configuration of the stages: comments in it must survive every change. */
export function configOf({ baseUrls }: Simulator): string {
  return `# Who carries us
routes:
  coding: # the agent's own
    - codex/gpt-5.5          # the plan that is paid anyway
    - anthropic/claude-opus-4-8
    # last of all, and never far away
    - local/qwen3
  night:
    targets: [anthropic/claude-opus-4-8, local/qwen3]
providers:
  codex: { baseUrl: ${baseUrls.codex}, issuer: ${baseUrls.codexIssuer} }
  openai: { baseUrl: ${baseUrls.openai} }
  anthropic: { baseUrl: ${baseUrls.messages} }
  local: { protocol: chat-completions, baseUrl: ${baseUrls.chat}, apiKeyEnv: LOCAL_KEY }
limits: { maxWaitMs: 0 }
`;
}

export async function openPageStage(config: (simulator: Simulator) => string = configOf): Promise<PageStage> {
  const simulator = await startSimulator();
  const folder = mkdtempSync(join(tmpdir(), "understudy-page-"));
  writeFileSync(join(folder, "config.yaml"), config(simulator));
  const setup = { env: { UNDERSTUDY_HOME: folder }, random: () => 0 };
  const workspace = await openWorkspace(setup);
  const gateway = await createGateway({ workspace, clientKey, adminKey, port: 0 });
  return new PageStage(new TestStage(simulator, folder, workspace, setup), gateway);
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds wrong with the page as it is now: rule and place, one a line. */
export async function findBarriers(page: Page): Promise<string[]> {
  // By the debugger's way in: the page's own policy lets no script be added.
  await page.evaluate(axe);
  const found = await page.evaluate(
    `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
       violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => id + " at " + target.join(" ") + ": " + failureSummary)))`,
  );
  return found as string[];
}

/** Keeps a picture of the page, as far down as one looks, or of the window alone. */
export async function takePicture(page: Page, name: string, isWhole = true): Promise<void> {
  mkdirSync(pictures, { recursive: true });
  const [width, height] = (await page.evaluate("[innerWidth, document.documentElement.scrollHeight]")) as [
    number,
    number,
  ];
  const path = join(pictures, `${name}.png`);
  const clip = { x: 0, y: 0, width, height: Math.min(height, 2_400) };
  await page.screenshot(isWhole ? { path, fullPage: true, clip } : { path });
}

/**
 * The longest task of the page's main thread during `work`, in ms that it computed: on a machine that others keep busy, the time on the
 * wall says more of them.
 */
export async function measureLongestTask(browser: Browser, page: Page, work: () => Promise<void>): Promise<number> {
  await browser.startTracing(page, { categories: ["toplevel", "__metadata"] });
  await work();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const threadOf = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`;
  const isMain = ({ name, args }: TraceEvent): boolean => name === "thread_name" && args?.name === "CrRendererMain";
  const mains = new Set(traceEvents.filter(isMain).map(threadOf));
  const tasks = traceEvents.filter((event) => event.tdur !== undefined && mains.has(threadOf(event)));
  expect(tasks.length).toBeGreaterThan(30);
  return Math.max(...tasks.map(({ tdur = 0 }) => tdur)) / 1_000;
}

/** An event of Chromium's tracing; `tdur` is the time that its thread computed, in µs. */
interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}
