import { UnderstudyError } from "../../../core/error.ts";
import { needsRelogin, type OAuthCredential } from "../../../credentials/credential.ts";
import { isAlive } from "../../../credentials/token-window.ts";
import { signInToCodex, type SignedIn } from "../../../providers/codex-sign-in.ts";
import type { Provider } from "../../../providers/provider.ts";
import { describeTime, signInCommand } from "../../../turn/advice.ts";
import type { Workspace } from "../../../workspace.ts";
import { interruptSignal } from "../../interrupt.ts";
import { colors, say } from "../../output.ts";
import { askChoice } from "../../prompt.ts";
import type { AddOptions } from "./add-options.ts";

/** Signs in by device code. Asks first when a login is there that works, unless a new one is forced. */
export async function addLogin(workspace: Workspace, provider: Provider, options: AddOptions): Promise<void> {
  const { store, clock } = workspace;
  if (options.apiKeyStdin === true || options.from !== undefined) {
    throw new UnderstudyError("usage", `${provider.id} is signed in to and takes no key; openai takes one`, {
      command: signInCommand(provider.id),
    });
  }
  const logins = (await store.listCredentials(provider.id)).filter((one) => one.kind === "oauth");
  const working = logins.filter((login) => works(login, clock.now()));
  if (working.length > 0 && options.forceNewLogin !== true && !(await wantsNewLogin(provider, working))) return;

  const signedIn = await signInToCodex({
    transport: workspace.transport,
    clock,
    store,
    provider,
    ...(options.label === undefined ? {} : { label: options.label.trim() }),
    onCode: ({ verificationUrl, userCode, expiresAt }) => {
      say(
        `To sign in to ${provider.name}, open this page in a browser, on any machine:`,
        "",
        `    ${colors.underline(verificationUrl)}`,
        "",
        `and type this code there, good until ${describeTime(expiresAt, clock.now())}:`,
        "",
        `    ${colors.bold(userCode)}`,
        "",
        "Never type a code that somebody sent you. Waiting; Ctrl-C gives up, and then nothing is stored.",
      );
    },
    signal: interruptSignal,
  });
  const credential = await rename(workspace, signedIn, options.label?.trim());
  tellSignedIn(credential, signedIn.renewed);
  await tellWhoIsLeft(workspace, provider);
}

/** A login that can go on without a person. */
function works(login: OAuthCredential, now: number): boolean {
  return !needsRelogin(login) && (login.grant.refreshToken !== null || isAlive(login.grant, now));
}

async function wantsNewLogin(provider: Provider, working: readonly OAuthCredential[]): Promise<boolean> {
  const names = working.map(({ label }) => label).join(", ");
  const command = `understudy auth add ${provider.id} --force-new-login`;
  const choice = await askChoice(
    `${provider.name} is signed in already: ${names}`,
    [
      { value: "use", label: "Use it as it is" },
      { value: "again", label: "Sign in again", hint: "the same account is renewed, another one is added" },
      { value: "cancel", label: "Cancel" },
    ],
    `${provider.id} is signed in already: ${names}. To sign in again, or with another account: ${command}`,
  );
  if (choice === "use") say(`${provider.id} goes on with ${names}; nothing was changed.`);
  if (choice === "cancel") say("Nothing was changed.");
  return choice === "again";
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
