import { readFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createGateway } from "../../src/gateway.ts";
import { showTurn } from "../../src/cli/show-turn.ts";
import { createTurn, writeHistory } from "./history.ts";
import {
  adminKey,
  buildPageIfOld,
  clientKey,
  configOf,
  findBarriers,
  hasChromium,
  measureLongestTask,
  openPageStage,
  type PageStage,
  startBrowser,
  takePicture,
} from "./rig.ts";

let browser: Browser;
let stage: PageStage;

const isSkipped = !hasChromium && process.env["CI"] === undefined;

beforeAll(async () => {
  if (isSkipped) return;
  buildPageIfOld();
  browser = await startBrowser();
});
afterAll(() => browser?.close());
afterEach(() => stage?.[Symbol.asyncDispose]());

const canary = "canary-of-a-secret-in-a-failure";

/** How long something may take on a busy machine. */
const patience = { timeout: 20_000 };

/** Two logins and a key. */
async function open(): Promise<Page> {
  stage = await openPageStage();
  await stage.stage.addCodexLogin("ann");
  await stage.stage.addCodexLogin("ben");
  await stage.stage.addKey("anthropic", "key");
  const page = await stage.open(browser);
  await page.getByText("now: ann").waitFor();
  return page;
}

describe.skipIf(isSkipped)("what one does on the status page", () => {
  it("signs in with a code, from the first visit to an account that serves", async () => {
    stage = await openPageStage();
    const { codexIssuer } = stage.simulator;
    codexIssuer.settings.pollInterval = "1";
    codexIssuer.addAccount({ email: "ann@example.test", name: "ann" });
    const page = await stage.open(browser);
    await page.getByRole("button", { name: "Sign in to OpenAI Codex" }).click();
    await page.getByRole("img", { name: /QR code of http/ }).waitFor();
    const [userCode = ""] = codexIssuer.pendingUserCodes;
    expect(await page.locator(".command-large code").innerText()).toBe(userCode);
    expect(await page.getByRole("link").getAttribute("href")).toBe(`${codexIssuer.origin}/codex/device`);
    expect(await findBarriers(page)).toEqual([]);
    await takePicture(page, "sign-in-desk-light", false);
    codexIssuer.approveDevice(userCode, "ann");
    await page.getByText("ann@example.test is ready to serve.").waitFor();
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByText("now: ann@example.test").waitFor();
    expect((await stage.call()).status).toBe(200);
    // The turn shows up by itself.
    await page.locator(".turn-straight").waitFor();
  });

  it("stores a key that is entered, and forgets it", async () => {
    stage = await openPageStage();
    const enteredKey = stage.simulator.messages.keys.add("work");
    const page = await stage.open(browser);
    const posted: string[] = [];
    page.on("request", (request) => {
      if (request.postData()?.includes(enteredKey) === true) posted.push(request.url());
    });
    await page.getByRole("button", { name: "Another provider, or a key…" }).click();
    const key = page.getByLabel("Key", { exact: true });
    await page.getByLabel("Provider").selectOption("anthropic");
    await key.fill("two words");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("it holds blanks").waitFor();
    expect(await key.inputValue()).toBe("");
    expect(await findBarriers(page)).toEqual([]);
    await takePicture(page, "key-form-desk-light", false);
    await page.getByLabel("Label, if you like").fill("work");
    await key.fill(enteredKey);
    await page.getByRole("button", { name: "Store" }).click();
    await page.getByText("Anthropic · work is ready to serve.").waitFor();
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByText("now: work").first().waitFor();
    expect(posted).toEqual([`${stage.gateway.url}/admin/keys`]);
    const left = [
      ...stage.sent,
      await page.content(),
      await page.evaluate("JSON.stringify([sessionStorage, localStorage])"),
    ];
    expect(left.join("\n")).not.toContain(enteredKey);
    expect((await stage.call()).status).toBe(200);
    // From another machine, over a network in the clear, no key is taken, and the command stands in the form's place.
    await page.addInitScript("Object.defineProperty(window, 'isSecureContext', { value: false })");
    await page.reload();
    await page.getByRole("button", { name: "Add…" }).click();
    await page.getByText("This page came over a network in the clear").waitFor();
    expect(await key.count()).toBe(0);
    // What the browser itself says of the key that was refused.
    stage.faults.length = 0;
  });

  it("makes the first route, of a model that its provider lists", async () => {
    stage = await openPageStage((simulator) =>
      configOf(simulator).replace(/^routes:[^]*?^providers:/m, "providers: # ours"),
    );
    await stage.stage.addCodexLogin("ann");
    const page = await stage.open(browser);
    const model = page.getByLabel("Model", { exact: true });
    await model.waitFor();
    expect(stage.simulator.requests, "nobody was asked before somebody wants to choose").toEqual([]);
    await model.focus();
    await page.locator("#models option").first().waitFor({ state: "attached" });
    expect(await page.locator("#models option").first().getAttribute("value")).toBe("gpt-5.5");
    await model.fill("gpt 5.5");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("a target is a provider").waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await takePicture(page, "first-route-desk-light", false);
    await model.fill("gpt-5.5");
    await page.getByRole("button", { name: "Make the first route" }).click();
    await page.getByText("now: ann").waitFor();
    expect(stage.configText).toContain("providers: # ours");
    expect(stage.configText).toMatch(/^routes:\n\s+main:/m);
    expect((await stage.call("main")).status).toBe(200);
    // What the browser itself says of the model that was refused.
    stage.faults.length = 0;
  });

  it("gives a sign-in up when its dialog is closed, and stores nothing", async () => {
    stage = await openPageStage();
    const { codexIssuer } = stage.simulator;
    codexIssuer.settings.pollInterval = "1";
    codexIssuer.addAccount({ email: "ann@example.test", name: "ann" });
    const page = await stage.open(browser);
    await page.getByRole("button", { name: "Sign in to OpenAI Codex" }).click();
    await page.locator(".command-large").waitFor();
    const [userCode = ""] = codexIssuer.pendingUserCodes;
    const cancelled = page.waitForResponse(/\/cancel$/);
    await page.keyboard.press("Escape");
    expect(await (await cancelled).json()).toEqual({ cancelled: true });
    codexIssuer.approveDevice(userCode, "ann");
    await page.getByRole("button", { name: "Sign in to OpenAI Codex" }).waitFor();
    expect(await stage.stage.workspace.store.listCredentials()).toEqual([]);
  });

  it("shows a switch within a second, while the turn goes on, and its whole reasoning as understudy why tells it", async () => {
    const page = await open();
    const { simulator } = stage;
    simulator.codex.setBehaviour("ann", "quota-exhausted");
    simulator.codex.script("stall-mid-text", { for: "ben" });
    await page.evaluate(`
      new MutationObserver((_, observer) => {
        if (document.querySelector(".hop-failed") === null) return;
        window.seenAt = Date.now();
        observer.disconnect();
      }).observe(document.body, { subtree: true, childList: true });
    `);
    const answer = await stage.begin();
    await page.locator(".turn-running .hop-failed").waitFor();
    const id = answer.headers.get("x-understudy-turn") ?? "";
    // The answer's head can't have come before the switch.
    const switchedAt = (await stage.stage.workspace.store.listCooldowns())[0]?.since ?? 0;
    const seenAt = (await page.evaluate("window.seenAt")) as number;
    expect(seenAt - switchedAt, "ms until it was seen").toBeLessThan(1_000);
    await page.getByText("ben stands in for ann on coding: quota").waitFor({ state: "attached" });

    simulator.release();
    await answer.text();
    const row = page.locator(".turn-switched");
    await row.waitFor();
    await row.click();
    await page.locator(".why").waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await takePicture(page, "why-desk-light", false);
    const shown = await page.locator(".why p").allInnerTexts();
    const told = await printed(() => showTurn(stage.stage.workspace, id));
    // How long ago it was changes from one look to the next.
    const plain = (text: string): string =>
      text
        .replaceAll(/ \((in )?[\d dhmins]+( ago)?\)/g, "")
        .replaceAll(/\s+/g, " ")
        .trim();
    expect(shown.map(plain)).toEqual(told.trimEnd().split("\n").map(plain));
    expect(shown.join("\n")).toMatch(/quota.*\n.*decided by row plan-used-up.*; then: the next login/);
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
    expect(await page.evaluate("document.activeElement.className")).toContain("turn-switched");
  });

  it("cuts off nobody who failed, at a desk of the usual width", async () => {
    stage = await openPageStage();
    await stage.stage.addCodexLogin("ann.miller@example.com");
    await stage.stage.addCodexLogin("ben.miller@example.com");
    stage.simulator.codex.script("quota-exhausted", { for: "ann.miller@example.com" });
    await stage.call();
    const page = await stage.open(browser, { width: 1_200 });
    await page.locator(".turn-switched").getByText("ann.miller@example.com").waitFor();
    const cut = `[...document.querySelectorAll(".turn-switched .hop-who, .turn-switched .path")]
      .filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent)`;
    await takePicture(page, "switch-1200-light", false);
    expect(await page.evaluate(cut)).toEqual([]);
  });

  it("reorders a route by keyboard and by pointer, and leaves every comment where it was", async () => {
    const page = await open();
    const before = stage.configText;
    const handle = page.getByRole("button", { name: /^Move codex\/gpt-5.5, 1 of 3/ });
    await handle.focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await page.getByText("codex/gpt-5.5 is now 3 of 3").waitFor({ state: "attached" });
    await page.getByText("now: key").first().waitFor();
    await expect
      .poll(() => stage.stage.workspace.config.routes[0]?.targets.map(({ provider }) => provider), patience)
      .toEqual(["anthropic", "local", "codex"]);
    expect(stage.configText.split("\n").sort()).toEqual(before.split("\n").sort());
    expect(stage.configText).toContain("    - codex/gpt-5.5          # the plan that is paid anyway");
    expect(await page.evaluate("document.activeElement.getAttribute('aria-label')")).toContain("codex/gpt-5.5, 3 of 3");

    const from = await page.getByRole("button", { name: /^Move codex\/gpt-5.5/ }).boundingBox();
    const to = await page.getByRole("button", { name: /^Move anthropic\/claude-opus-4-8, 1 of 3/ }).boundingBox();
    await page.mouse.move((from?.x ?? 0) + 8, (from?.y ?? 0) + 8);
    await page.mouse.down();
    await page.mouse.move((to?.x ?? 0) + 8, (to?.y ?? 0) + 40, { steps: 4 });
    await page.mouse.move((to?.x ?? 0) + 8, (to?.y ?? 0) + 4, { steps: 2 });
    await page.mouse.up();
    await expect.poll(() => stage.configText, patience).toBe(before);
    await page.getByText("now: ann").waitFor();
  });

  it("reorders a route with a finger", async () => {
    stage = await openPageStage();
    await stage.stage.addCodexLogin("ann");
    await stage.stage.addKey("anthropic", "key");
    const page = await stage.open(browser, { width: 390 });
    await page.getByText("now: ann").waitFor();
    const centre = async (name: RegExp): Promise<{ x: number; y: number }> => {
      const { x, y, width, height } = (await page.getByRole("button", { name }).boundingBox()) ?? {
        x: 0,
        y: 0,
        width: 0,
        height: 0,
      };
      return { x: x + width / 2, y: y + height / 2 };
    };
    const from = await centre(/^Move local\/qwen3, 3 of 3 in coding/);
    const to = await centre(/^Move codex\/gpt-5.5, 1 of 3/);
    const finger = await page.context().newCDPSession(page);
    const touch = (type: "touchStart" | "touchMove" | "touchEnd", points: readonly { x: number; y: number }[]) =>
      finger.send("Input.dispatchTouchEvent", { type, touchPoints: [...points] });
    await touch("touchStart", [from]);
    for (let i = 1; i <= 6; i++) await touch("touchMove", [{ x: from.x + 3, y: from.y + ((to.y - from.y) * i) / 6 }]);
    await page.locator(".target-dragged").getByText("local/qwen3").waitFor();
    await touch("touchEnd", []);
    await expect
      .poll(() => stage.stage.workspace.config.routes[0]?.targets.map(({ provider }) => provider), patience)
      .toEqual(["local", "codex", "anthropic"]);
    expect(await page.evaluate("scrollY"), "the page scrolled along").toBe(0);
  });

  it("pauses, resumes and ends rests", async () => {
    const page = await open();
    await page.getByRole("button", { name: "Pause ann" }).click();
    await page.getByText("now: ben").waitFor();
    await page.getByRole("button", { name: "Resume ann" }).click();
    await page.getByText("now: ann").waitFor();
    stage.simulator.codex.script("quota-exhausted", { for: "ann" });
    await stage.call();
    await page.getByText("the plan's limit is reached, until").waitFor();
    await page.getByRole("button", { name: "End rest of ann" }).click();
    await page.getByText("now: ann").waitFor();
    expect(await stage.stage.workspace.store.listCooldowns()).toEqual([]);
  });

  it("says that the gateway is away, and comes back with it", async () => {
    const page = await open();
    const { gateway, stage: inner } = stage;
    await gateway.close();
    await page.getByText("connection lost, trying again").waitFor();
    stage.replaceGateway(await createGateway({ workspace: inner.workspace, clientKey, adminKey, port: gateway.port }));
    await page.locator(".link-live").waitFor();
    await stage.call();
    await page.locator(".turn-straight").waitFor();
    // What the browser itself says of the time between.
    stage.faults.length = 0;
  });

  it("scrolls through ten thousand turns without a stutter", async () => {
    stage = await openPageStage();
    await stage.stage.addCodexLogin("ann");
    await writeHistory(stage.stage.workspace.store, 10_000, 24 * 3_600_000);
    const page = await stage.open(browser);
    await page.locator(".turn").first().waitFor();
    await page.locator(".turn").first().focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await page.locator("[data-place='2']:focus").waitFor();
    await page.keyboard.press("PageDown");
    await page.locator("[data-place='2']:focus").waitFor({ state: "detached" });
    const longest = await measureLongestTask(browser, page, async () => {
      for (let i = 0; i < 30; i += 1) {
        await page.evaluate("document.querySelector('.turns').scrollBy(0, 13_000)");
        await page.evaluate("new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 5)))");
      }
    });
    expect(longest, "the longest task, in ms of its own work").toBeLessThan(200);
    await page.keyboard.press("End");
    await expect
      .poll(async () => {
        await page.evaluate("document.querySelector('.turns').scrollBy(0, 1_000_000)");
        return page.locator(".turns li").last().getAttribute("aria-posinset");
      }, patience)
      .toBe("10000");
    expect(await page.locator(".turns li").count()).toBeLessThan(80);
  }, 60_000);

  it("is told no secret, whatever it asks", async () => {
    const page = await open();
    const { simulator, folder } = stage.stage;
    simulator.codex.script("echo-key", { for: "ann" });
    simulator.codex.script("echo-key", { for: "ben" });
    await stage.call();
    // One that got into the journal all the same, by whatever door.
    const { store, secrets: known } = stage.stage.workspace;
    known.note(canary);
    await store.appendTurn(createTurn("turn_canary", Date.now(), () => 0.99, `the key ${canary} is wrong`));
    await page.locator("[data-place='0'].turn-lost").waitFor();
    await page.locator(".turn").first().click();
    await page.locator(".why").getByText("[secret]").first().waitFor();
    const own = { authorization: `Bearer ${adminKey}`, "x-understudy-page": "1" };
    const live = await fetch(`${stage.gateway.url}/admin/live`, { headers: own });
    const reader = live.body?.pipeThrough(new TextDecoderStream()).getReader();
    let told = "";
    while (!told.includes('"type":"activity"')) told += (await reader?.read())?.value ?? "";
    await reader?.cancel();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Add…" }).click();
    const signIn = await fetch(`${stage.gateway.url}/admin/sign-ins`, {
      method: "POST",
      headers: { ...own, origin: stage.gateway.url, "content-type": "application/json" },
      body: JSON.stringify({ provider: "codex" }),
    });
    const steps = signIn.body?.pipeThrough(new TextDecoderStream()).getReader();
    told += (await steps?.read())?.value ?? "";
    await steps?.cancel();
    expect(told).toContain('"userCode"');
    const all = [...stage.sent, told, await page.content()].join("\n");
    expect(all).toContain("ann");
    const storeKey = readFileSync(`${folder}/understudy.key`, "utf8").trim();
    const secrets = [
      canary,
      ...simulator.secrets.filter((secret) => secret.length >= 12),
      clientKey,
      adminKey,
      storeKey,
    ];
    for (const secret of secrets) expect(all.includes(secret), `it was told ${secret}`).toBe(false);
  });
});

/** What `work` writes to standard output, without its colours. */
async function printed(work: () => Promise<void>): Promise<string> {
  const write = process.stdout.write.bind(process.stdout);
  let text = "";
  process.stdout.write = (chunk: string) => {
    text += chunk;
    return true;
  };
  try {
    await work();
  } finally {
    process.stdout.write = write;
  }
  return stripVTControlCharacters(text);
}
