import { UnderstudyError } from "../../../core/error.ts";
import type { Provider } from "../../../providers/provider.ts";
import { signInCommand } from "../../../turn/advice.ts";
import type { Workspace } from "../../../workspace.ts";
import { chooseLogin, listWorkingLogins } from "../../choose-login.ts";
import { signIn } from "../../sign-in.ts";
import type { AddOptions } from "./add-options.ts";

/** Signs in. Asks first when a login is there that works, unless a new one is forced. */
export async function addLogin(workspace: Workspace, provider: Provider, options: AddOptions): Promise<void> {
  if (options.apiKeyStdin === true || options.from !== undefined) {
    const other = provider.signIn.kind === "codex" ? "; openai takes one" : "";
    throw new UnderstudyError("usage", `${provider.id} is signed in to and takes no key${other}`, {
      command: signInCommand(provider.id),
    });
  }
  const working = options.forceNewLogin === true ? [] : await listWorkingLogins(workspace, provider);
  if (working.length > 0) {
    const again = `To sign in again, or with another account: understudy auth add ${provider.id} --force-new-login`;
    const choice = await chooseLogin(provider, working, again);
    if (choice === "import") {
      const { importFrom } = await import("../../import-logins.ts");
      return importFrom(workspace, "codex", {});
    }
    if (choice !== "again") return;
  }
  await signIn(workspace, provider, options);
}
