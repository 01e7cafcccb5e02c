import { UnderstudyError } from "../core/error.ts";
import { needsRelogin, type OAuthCredential } from "../credentials/credential.ts";
import { whyNoBrowser } from "../platform/open-browser.ts";
import type { Provider } from "../providers/provider.ts";
import { requireLogin, type SignedIn } from "../providers/store-login.ts";
import { signInCommand } from "../turn/advice.ts";
import type { Workspace } from "../workspace.ts";
import { colors, say } from "./output.ts";
import { canAsk } from "./prompt.ts";
import { signInWithBrowser } from "./sign-in-by-browser.ts";
import { signInOnAnyMachine } from "./sign-in-by-device.ts";

/** How a person wants to sign in. */
export interface SignInOptions {
  readonly label?: string;
  /** True: with a browser. False: no browser may be opened. */
  readonly browser?: boolean;
  /** True: by device code. */
  readonly device?: boolean;
  /** False: no QR code beside a device code. */
  readonly qr?: boolean;
}

/**
 * Signs in, stores the login and tells how it went.
 *
 * - `--browser` and `--device` decide.
 * - Otherwise a provider of the configuration does what its `flow` says.
 * - Codex uses the browser where one can open before the person's eyes: a terminal, a display, no SSH, no `--no-browser`. Else a
 *   code. If the browser can't come back because its ports are taken, a code, too, and a line says why.
 */
export async function signIn(workspace: Workspace, provider: Provider, options: SignInOptions): Promise<void> {
  if (options.browser === true && options.device === true) {
    throw new UnderstudyError("usage", "say --browser or --device, not both");
  }
  const label = options.label?.trim();
  const signedIn = await runFlow(workspace, provider, options, label);
  const credential = await rename(workspace, signedIn, label);
  tellSignedIn(credential, signedIn.renewed);
  await tellWhoIsLeft(workspace, provider);
  if (workspace.config.routes.length === 0)
    say(`Next: understudy model ${provider.id} chooses the model to ask first.`);
}

async function runFlow(
  workspace: Workspace,
  provider: Provider,
  options: SignInOptions,
  label: string | undefined,
): Promise<SignedIn> {
  const way = requireLogin(provider);
  const byCode = (): Promise<SignedIn> => signInOnAnyMachine(workspace, provider, options.qr !== false, label);
  if (options.device === true) return byCode();
  const isAsked = options.browser === true || (way.kind === "oauth" && way.flow === "browser");
  const isHandy = way.kind === "codex" && options.browser !== false && canAsk() && whyNoBrowser() === null;
  if (!isAsked && !isHandy) return byCode();
  const outcome = await signInWithBrowser(workspace, provider, {
    open: options.browser !== false,
    ...(label === undefined ? {} : { label }),
  });
  if (outcome.kind === "signed_in") return outcome.signedIn;
  if (isAsked) {
    const command = `understudy auth add ${provider.id} --device`;
    throw new UnderstudyError("login_failed", outcome.message, { provider: provider.id, command });
  }
  say(`${outcome.message}. So by a code:`, "");
  return byCode();
}

/** An account that was there keeps its label, unless another one is asked for. */
async function rename(
  { store }: Workspace,
  { credential, renewed }: SignedIn,
  label: string | undefined,
): Promise<OAuthCredential> {
  if (!renewed || label === undefined || label === credential.label) return credential;
  try {
    const renamed = await store.updateCredential(credential.id, { label });
    return renamed?.kind === "oauth" ? renamed : credential;
  } catch (error) {
    // The login is stored: a label that is taken must not make it look lost.
    say(`It keeps the label ${credential.label}: ${error instanceof Error ? error.message : String(error)}`);
    return credential;
  }
}

function tellSignedIn({ provider, label, account }: OAuthCredential, renewed: boolean): void {
  const who = [account.email === label ? null : account.email, account.plan && `${account.plan} plan`];
  const facts = who.filter((fact) => fact !== null && fact !== "").join(", ");
  const name = `${colors.bold(`${provider} · ${label}`)}${facts === "" ? "" : ` (${facts})`}`;
  say(
    renewed
      ? `${colors.green("Signed in again:")} ${name}. Its old login is replaced, its rests are over.`
      : `${colors.green("Signed in:")} ${name}.`,
  );
}

/** Whoever wanted to repair one login and signed in with another account learns it here. */
async function tellWhoIsLeft({ store }: Workspace, provider: Provider): Promise<void> {
  for (const login of await store.listCredentials(provider.id)) {
    if (!needsRelogin(login)) continue;
    say(`${provider.id} · ${login.label} still has to sign in again: ${signInCommand(provider.id, login)}`);
  }
}
