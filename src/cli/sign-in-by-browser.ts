import { UnderstudyError } from "../core/error.ts";
import { parsePastedCallback } from "../oauth/authorization-code.ts";
import { type CallbackPage, openCallbackServer } from "../platform/callback-server.ts";
import { openBrowser, whyNoBrowser } from "../platform/open-browser.ts";
import { type BrowserSignIn, callbackPlace, type Reception, startBrowserSignIn } from "../providers/browser-sign-in.ts";
import type { Provider } from "../providers/provider.ts";
import { requireLogin, type SignedIn } from "../providers/store-login.ts";
import type { Workspace } from "../workspace.ts";
import { interruptSignal } from "./interrupt.ts";
import { colors, say } from "./output.ts";
import { readLinesMeanwhile } from "./read-lines.ts";
import { tellWait } from "./tell-wait.ts";

/** How long the browser may take to come back, in ms. */
const patienceMs: number = 15 * 60_000;

export interface BrowserOptions {
  readonly label?: string;
  /** False: the address is only shown. */
  readonly open: boolean;
}

/** `no_port`: nothing was begun, since the browser could not come back; the message says who holds the ports. */
export type BrowserOutcome =
  | { readonly kind: "signed_in"; readonly signedIn: SignedIn }
  | { readonly kind: "no_port"; readonly message: string };

/**
 * Signs in with this machine's browser, or with any other one whose last address the person pastes: whichever comes first.
 * Throws `login_failed` and `cancelled`; then nothing was stored.
 */
export async function signInWithBrowser(
  workspace: Workspace,
  provider: Provider,
  options: BrowserOptions,
): Promise<BrowserOutcome> {
  const { transport, clock, store } = workspace;
  const place = callbackPlace(requireLogin(provider));
  const ended = Promise.withResolvers<SignedIn>();
  ended.promise.catch(() => {});
  let signIn: BrowserSignIn | null = null;
  /** What came is being worked on: that is not given up half-way. */
  let receiving: Promise<Reception> | null = null;

  const receive = async (params: URLSearchParams): Promise<Reception> => {
    if (signIn === null) return { kind: "ignored", message: "the sign-in has not begun yet" };
    const reception = signIn.receive(params);
    receiving = reception;
    const outcome = await reception;
    if (outcome.kind === "signed_in") ended.resolve(outcome.signedIn);
    if (outcome.kind === "failed") ended.reject(outcome.error);
    return outcome;
  };

  const opened = await openCallbackServer({
    ports: place.ports,
    path: place.path,
    onCallback: async (params) => pageFor(provider, await receive(params)),
  });
  if (!opened.ok) return { kind: "no_port", message: opened.message };
  const { server } = opened;
  const stop = new AbortController();
  let lines: { close(): void } | null = null;
  try {
    const { label } = options;
    const input = {
      transport,
      clock,
      store,
      provider,
      ...(label === undefined ? {} : { label }),
      onWait: tellWait(clock),
    };
    signIn = await startBrowserSignIn({ ...input, signal: interruptSignal }, server.port);
    await showAddress(provider, signIn.url, options.open);
    lines = readLinesMeanwhile((line) => receivePasted(line, receive), "Address: ");
    const signedIn = await Promise.race([ended.promise, giveUp(provider, workspace, stop.signal, () => receiving)]);
    return { kind: "signed_in", signedIn };
  } finally {
    stop.abort();
    lines?.close();
    await server.close();
  }
}

async function showAddress(provider: Provider, url: string, open: boolean): Promise<void> {
  const opened = open && whyNoBrowser() === null && (await openBrowser(url));
  const heading = opened
    ? `Your browser opens to sign in to ${provider.name}. If nothing opens, this is the address:`
    : `To sign in to ${provider.name}, open this address in a browser:`;
  say(
    heading,
    "",
    `    ${colors.underline(url)}`,
    "",
    "In a browser on another machine the last page can't be shown: paste its whole address here then.",
    "Waiting; Ctrl-C gives up, and then nothing is stored.",
  );
}

async function receivePasted(line: string, receive: (params: URLSearchParams) => Promise<Reception>): Promise<void> {
  if (line.trim() === "") return;
  const params = parsePastedCallback(line);
  if (params === null) {
    say("That is not the address: paste all of it, with code= and state= in it.");
    return;
  }
  const reception = await receive(params);
  if (reception.kind === "ignored")
    say("That address belongs to another sign-in: paste the one of the page just opened.");
}

/** Rejects when the person gives up or too much time has passed; what has already come is waited for. */
async function giveUp(
  provider: Provider,
  { clock }: Workspace,
  stop: AbortSignal,
  receiving: () => Promise<Reception> | null,
): Promise<never> {
  try {
    await clock.sleep(patienceMs, AbortSignal.any([interruptSignal, stop]));
  } catch {
    const outcome = await receiving();
    if (outcome?.kind === "signed_in") return new Promise<never>(() => {});
    throw new UnderstudyError("cancelled", "cancelled; nothing was stored");
  }
  throw new UnderstudyError("login_failed", `${provider.name}: the browser did not come back in time`, {
    provider: provider.id,
    command: `understudy auth add ${provider.id}`,
  });
}

function pageFor(provider: Provider, reception: Reception): CallbackPage {
  switch (reception.kind) {
    case "signed_in": {
      const { label } = reception.signedIn.credential;
      const text = `${provider.name} · ${label}. You can close this page and go back to your terminal.`;
      return { status: 200, title: "Signed in", text };
    }
    case "failed":
      return {
        status: 400,
        title: "Not signed in",
        text: `${reception.error.message}. Your terminal says what to do.`,
      };
    case "ignored":
      return { status: 400, title: "Another sign-in", text: `Nothing was done: ${reception.message}.` };
  }
}
