import { signInByDevice } from "../providers/device-sign-in.ts";
import type { Provider } from "../providers/provider.ts";
import type { SignedIn } from "../providers/store-login.ts";
import { describeTime } from "../turn/advice.ts";
import type { Workspace } from "../workspace.ts";
import { interruptSignal } from "./interrupt.ts";
import { colors, say } from "./output.ts";

/** Shows page and code, and waits until the person has confirmed on whatever machine. Throws as `signInByDevice` does. */
export function signInOnAnyMachine(workspace: Workspace, provider: Provider, label?: string): Promise<SignedIn> {
  const { transport, clock, store } = workspace;
  return signInByDevice({
    transport,
    clock,
    store,
    provider,
    ...(label === undefined ? {} : { label }),
    onCode: ({ verificationUrl, completeVerificationUrl, userCode, expiresAt }) => {
      say(
        `To sign in to ${provider.name}, open this page in a browser, on any machine:`,
        "",
        `    ${colors.underline(verificationUrl)}`,
        "",
        `and type this code there, good until ${describeTime(expiresAt, clock.now())}:`,
        "",
        `    ${colors.bold(userCode)}`,
        "",
      );
      if (completeVerificationUrl !== null) say(`Or with the code in it: ${completeVerificationUrl}`, "");
      say("Never type a code that somebody sent you. Waiting; Ctrl-C gives up, and then nothing is stored.");
    },
    signal: interruptSignal,
  });
}
