import { randomUUID } from "node:crypto";
import { UnderstudyError } from "../../core/error.ts";
import { cleanMessage } from "../../failures/clean-message.ts";
import { signInByDevice } from "../../providers/device-sign-in.ts";
import type { Workspace } from "../../workspace.ts";
import { drawQrCode } from "./qr-code.ts";
import type { SignInMessage } from "./view.ts";

/** Sign-ins that may wait for their person at once. */
const limit = 8;

/**
 * Sign-ins that were started on the page. Each goes on until it is confirmed, refused, over or cancelled, also when its page is gone
 * meanwhile: on a phone the page sleeps while its person is at the provider's.
 */
export class SignIns {
  readonly #workspace: Workspace;
  readonly #open = new Map<string, AbortController>();

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  /** Signs in to a provider and tells how far it is. Never rejects. */
  async start(providerId: string, tell: (message: SignInMessage) => void): Promise<void> {
    const { clock, store, transport, runtime } = this.#workspace;
    const id = randomUUID();
    const controller = new AbortController();
    try {
      const provider = runtime.findProvider(providerId);
      if (provider === null) throw new UnderstudyError("usage", "there is no such provider");
      if (this.#open.size >= limit) throw new UnderstudyError("usage", "too many sign-ins wait already: end one first");
      this.#open.set(id, controller);
      const { credential, renewed } = await signInByDevice({
        transport,
        clock,
        store,
        provider,
        signal: controller.signal,
        onCode: ({ verificationUrl, completeVerificationUrl, userCode, expiresAt }) => {
          const shown = { verificationUrl, completeVerificationUrl, userCode, expiresAt };
          void drawQrCode(completeVerificationUrl ?? verificationUrl)
            // Too long for one: the address is shown all the same.
            .catch(() => null)
            .then((qr) => tell({ type: "code", id, qr, ...shown }));
        },
      });
      tell({ type: "signed-in", label: credential.label, email: credential.account.email, renewed });
    } catch (error) {
      const message = cleanMessage(error instanceof Error ? error.message : String(error));
      tell({ type: "failed", message: controller.signal.aborted ? "given up: nothing was stored" : message });
    } finally {
      this.#open.delete(id);
    }
  }

  /** False when it is over already. */
  cancel(id: string): boolean {
    const controller = this.#open.get(id);
    controller?.abort(new UnderstudyError("cancelled", "given up on the page"));
    return controller !== undefined;
  }

  close(): void {
    for (const controller of this.#open.values()) {
      controller.abort(new UnderstudyError("cancelled", "the gateway is closing"));
    }
  }
}
