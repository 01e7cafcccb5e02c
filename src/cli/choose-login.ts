import { needsRelogin, type OAuthCredential } from "../credentials/credential.ts";
import { isAlive } from "../credentials/token-window.ts";
import type { Provider } from "../providers/provider.ts";
import type { Workspace } from "../workspace.ts";
import { say } from "./output.ts";
import { askChoice } from "./prompt.ts";

/** What to do where a login is there that works. */
export type LoginChoice = "use" | "again" | "import" | "cancel";

/** The logins of a provider that can go on without a person. */
export async function listWorkingLogins({ store, clock }: Workspace, provider: Provider): Promise<OAuthCredential[]> {
  const now = clock.now();
  return (await store.listCredentials(provider.id)).filter(
    (one): one is OAuthCredential =>
      one.kind === "oauth" && !needsRelogin(one) && (one.grant.refreshToken !== null || isAlive(one.grant, now)),
  );
}

/**
 * Asks what to do with the logins that work: use, sign in again, import, cancel. `instead` is what to pass when there is no
 * terminal to ask on. Throws `usage` then, and `cancelled` after Ctrl-C.
 */
export async function chooseLogin(
  provider: Provider,
  working: readonly OAuthCredential[],
  instead: string,
): Promise<LoginChoice> {
  const names = working.map(({ label }) => label).join(", ");
  const choice = await askChoice<LoginChoice>(
    `${provider.name} is signed in already: ${names}`,
    [
      { value: "use", label: "Use it as it is" },
      { value: "again", label: "Sign in again", hint: "the same account is renewed, another one is added" },
      ...(provider.signIn.kind === "codex"
        ? [{ value: "import" as const, label: "Import the login of the Codex CLI", hint: "both then share one token" }]
        : []),
      { value: "cancel", label: "Cancel" },
    ],
    `${provider.id} is signed in already: ${names}. ${instead}`,
  );
  if (choice === "use") say(`${provider.id} goes on with ${names}; nothing was changed.`);
  if (choice === "cancel") say("Nothing was changed.");
  return choice;
}
