import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { writeHistory } from "./history.ts";
import {
  adminKey,
  buildPageIfOld,
  findBarriers,
  hasChromium,
  openPageStage,
  type PageStage,
  startBrowser,
  takePicture,
} from "./rig.ts";

if (!hasChromium) console.warn("the status page is not looked at: there is no /usr/bin/chromium");

let browser: Browser;
let stage: PageStage;

beforeAll(async () => {
  if (!hasChromium && process.env["CI"] === undefined) return;
  buildPageIfOld();
  browser = await startBrowser();
});
afterAll(() => browser?.close());
afterEach(() => stage?.[Symbol.asyncDispose]());

/** Windows at a desk and on a phone, by day and by night. The first and the last are searched for barriers. */
const allLooks = [
  { width: 1280, dark: false },
  { width: 1280, dark: true },
  { width: 390, dark: false },
  { width: 390, dark: true },
] as const;

/** Looks at the same state in each of these windows, or in the first and the last. */
async function lookAt(name: string, ready: string, isWhole = false): Promise<void> {
  for (const look of allLooks) {
    const { width, dark } = look;
    const isEnd = look === allLooks[0] || look === allLooks[3];
    if (!isEnd && !isWhole) continue;
    const page = await stage.open(browser, { width, dark });
    await page.locator(ready).first().waitFor();
    await page.locator(".link-live").waitFor();
    await takePicture(page, `${name}-${width < 600 ? "phone" : "desk"}-${dark ? "dark" : "light"}`);
    if (isEnd) expect(await findBarriers(page)).toEqual([]);
    expect(await overflow(page), "it scrolls sideways").toBeLessThanOrEqual(0);
    await stage.closeWindows();
  }
}

/** How much wider than the window the page is, in pixels. */
async function overflow(page: Page): Promise<number> {
  return (await page.evaluate("document.documentElement.scrollWidth - innerWidth")) as number;
}

describe.skipIf(!hasChromium && process.env["CI"] === undefined)("the status page as it looks", () => {
  it("asks for the key, and tells nothing before", async () => {
    stage = await openPageStage();
    await stage.stage.addCodexLogin("ann");
    const page = await stage.open(browser, { key: false });
    // A password store learns what the key belongs to.
    expect(await page.locator("form input[autocomplete=username]").inputValue()).toBe("understudy admin");
    await page.getByLabel("Admin key").fill("ua-this-is-not-the-key");
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByRole("alert").waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await takePicture(page, "key-desk-light");
    expect(stage.sent.join("\n")).not.toContain("ann");
    await page.getByLabel("Admin key").fill(adminKey);
    await page.keyboard.press("Enter");
    await page.getByText("now: ann").waitFor();
    // Somebody is there, and nothing has happened yet.
    await page.getByText("No turn yet: the next one shows up here.").waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await takePicture(page, "empty-desk-light");
    await page.getByRole("button", { name: "Lock" }).click();
    await page.getByLabel("Admin key").waitFor();
    expect(await page.evaluate("sessionStorage.length")).toBe(0);
  });

  it("leads whoever has no account yet to the first sign-in", async () => {
    stage = await openPageStage();
    await lookAt("first-run", "text=Bring an account");
  });

  it("shows a busy day", async () => {
    stage = await openPageStage();
    const { simulator } = stage;
    await stage.stage.addCodexLogin("ann");
    await stage.stage.addCodexLogin("ben");
    await stage.stage.addKey("anthropic", "work-key");
    await stage.stage.addKey("local", "desk");
    await stage.stage.addKey("openai", "spare");
    await writeHistory(stage.stage.workspace.store, 600, 6 * 3_600_000);
    simulator.codex.setLimits("ann", {
      primary: { usedPercent: 100, windowMinutes: 300, resetsInS: 4_830 },
      secondary: { usedPercent: 61, windowMinutes: 10_080, resetsInS: 3 * 86_400 },
    });
    simulator.codex.setLimits("ben", {
      primary: { usedPercent: 34, windowMinutes: 300, resetsInS: 9_000 },
      secondary: { usedPercent: 83, windowMinutes: 10_080, resetsInS: 86_400 },
    });
    await stage.call();
    simulator.codex.setBehaviour("ann", "quota-exhausted");
    await stage.call();
    simulator.codex.script("stall-mid-text", { for: "ben" });
    const running = await stage.begin();
    await lookAt("busy", ".turn-running", true);
    await running.body?.cancel();
  }, 60_000);

  it("shows that everything is broken, and what to do", async () => {
    stage = await openPageStage();
    const { simulator } = stage;
    await stage.stage.addCodexLogin("ann", { expiresInS: -10 });
    await stage.stage.addKey("anthropic", "work-key");
    await stage.stage.addKey("local", "desk");
    const paused = await stage.stage.addCodexLogin("old one");
    await stage.stage.workspace.store.updateCredential(paused.id, { paused: true });
    simulator.codexIssuer.revokeLogins("ann");
    simulator.messages.setBehaviour("work-key", "credit-balance");
    simulator.chat.setBehaviour("desk", "unauthorized");
    for (let i = 0; i < 3; i += 1) await stage.call();
    await lookAt("broken", "text=Nobody can serve coding, night now.");
    const page = await stage.open(browser);
    await page.getByText("understudy auth add codex --force-new-login").first().waitFor();
    await page.getByText("understudy auth reset anthropic work-key").first().waitFor();
    await page.getByRole("button", { name: "Sign in again as ann" }).waitFor();
  });
});
