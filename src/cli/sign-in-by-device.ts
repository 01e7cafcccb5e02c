import { type DeviceCodePrompt, signInByDevice } from "../providers/device-sign-in.ts";
import type { Provider } from "../providers/provider.ts";
import type { SignedIn } from "../providers/store-login.ts";
import { describeTime } from "../turn/advice.ts";
import type { Workspace } from "../workspace.ts";
import { interruptSignal } from "./interrupt.ts";
import { colors, say } from "./output.ts";
import { mayShowAsQrCode, qrLines } from "./qr-code.ts";
import { tellWait } from "./tell-wait.ts";
import { standardStream } from "./standard-streams.ts";

/**
 * Shows page and code, and waits until the person has confirmed on whatever machine. `qr`: also as a QR code, if standard error is a
 * terminal with room for it. Throws as `signInByDevice` does.
 */
export function signInOnAnyMachine(
  workspace: Workspace,
  provider: Provider,
  qr: boolean,
  label?: string,
): Promise<SignedIn> {
  const { transport, clock, store } = workspace;
  return signInByDevice({
    transport,
    clock,
    store,
    provider,
    ...(label === undefined ? {} : { label }),
    onCode: async (prompt) => {
      const { verificationUrl, completeVerificationUrl, userCode, expiresAt } = prompt;
      const address = addressToShow(prompt);
      const picture =
        qr && standardStream(2).isTTY && mayShowAsQrCode(address) ? await qrLines(address, standardStream(2)) : [];
      say(
        `To sign in to ${provider.name}, open this page in a browser, on any machine:`,
        "",
        `    ${colors.underline(verificationUrl)}`,
        "",
        ...(completeVerificationUrl === null ? [] : [`or with the code in it: ${completeVerificationUrl}`, ""]),
        `and type this code there, good until ${describeTime(expiresAt, clock.now())}:`,
        "",
        `    ${colors.bold(userCode)}`,
        "",
        ...picture,
        "Never type a code that somebody sent you. Waiting; Ctrl-C gives up, and then nothing is stored.",
      );
    },
    onWait: tellWait(clock),
    signal: interruptSignal,
  });
}

/** With the code in it if there is such an address, and if it holds nothing else. */
function addressToShow({ verificationUrl, completeVerificationUrl }: DeviceCodePrompt): string {
  return completeVerificationUrl !== null && mayShowAsQrCode(completeVerificationUrl)
    ? completeVerificationUrl
    : verificationUrl;
}
