import { signal } from "@preact/signals";
import type { KeyAdded, SignInMessage } from "../src/gateway/page/view.ts";
import { cancelSignIn, startSignIn } from "./api.ts";
import { Command } from "./command.tsx";
import { state } from "./live.ts";
import { KeyForm } from "./key-form.tsx";
import { Modal } from "./modal.tsx";
import { now } from "./clock.ts";
import { formatDuration } from "./format.ts";

type Step =
  | { readonly at: "choose" }
  | { readonly at: "asking"; readonly provider: string }
  | { readonly at: "code"; readonly provider: string; readonly code: Extract<SignInMessage, { type: "code" }> }
  | { readonly at: "stored"; readonly provider: string; readonly added: KeyAdded }
  | { readonly at: "done"; readonly message: Extract<SignInMessage, { type: "signed-in" }> }
  | { readonly at: "failed"; readonly provider: string; readonly message: string };

const step = signal<Step | null>(null);
let stop = new AbortController();

/** Opens the dialog to add an account, or signs in to this provider at once. */
export function openSignIn(provider: string | null): void {
  if (provider === null) step.value = { at: "choose" };
  else void begin(provider);
}

async function begin(provider: string): Promise<void> {
  stop = new AbortController();
  step.value = { at: "asking", provider };
  const isCurrent = (): boolean => step.value !== null && "provider" in step.value && step.value.provider === provider;
  try {
    await startSignIn(
      provider,
      (message) => {
        if (!isCurrent()) return;
        if (message.type === "code") step.value = { at: "code", provider, code: message };
        else if (message.type === "failed") step.value = { at: "failed", provider, message: message.message };
        else step.value = { at: "done", message };
      },
      stop.signal,
    );
  } catch (error) {
    if (!isCurrent() || stop.signal.aborted) return;
    step.value = { at: "failed", provider, message: error instanceof Error ? error.message : String(error) };
  }
}

function close(): void {
  const { value } = step;
  step.value = null;
  stop.abort();
  if (value?.at === "code") void cancelSignIn(value.code.id).catch(() => {});
}

export function SignInDialog() {
  const { value } = step;
  if (value === null) return null;
  return (
    <Modal label="Add an account" onClose={close}>
      <StepView step={value} />
    </Modal>
  );
}

function StepView({ step: value }: { step: Step }) {
  switch (value.at) {
    case "choose":
      return <Choose />;
    case "asking":
      return (
        <>
          <h2>Sign in</h2>
          <p role="status">Asking {nameOf(value.provider)} for a code…</p>
        </>
      );
    case "code":
      return <Code provider={value.provider} code={value.code} />;
    case "done":
      return (
        <>
          <h2>{value.message.renewed ? "Signed in again" : "Signed in"}</h2>
          <p role="status" class="good">
            {value.message.label}
            {value.message.email !== null && value.message.email !== value.message.label && ` (${value.message.email})`}
            {value.message.renewed ? ": its old login is replaced, its rests are over." : " is ready to serve."}
          </p>
          <Next />
        </>
      );
    case "stored":
      return (
        <>
          <h2>{value.added.isNew ? "Key stored" : "Key known already"}</h2>
          <p role="status" class="good">
            {nameOf(value.provider)} · {value.added.label} {value.added.isNew ? "is ready to serve." : "is used again."}
          </p>
          <Next />
        </>
      );
    case "failed":
      return (
        <>
          <h2>Not signed in</h2>
          <p role="alert" class="bad">
            {value.message}
          </p>
          <button type="button" class="primary" onClick={() => void begin(value.provider)}>
            Try again
          </button>
        </>
      );
  }
}

function Next() {
  return (
    <>
      {state.value?.routes.length === 0 && <p>Next, choose on the page which model to ask first.</p>}
      <button type="button" class="primary" onClick={close}>
        Done
      </button>
    </>
  );
}

function Choose() {
  const { logins = [], keyProviders = [] } = state.value ?? {};
  return (
    <>
      <h2>Add an account</h2>
      <h3>With a login</h3>
      <p class="row wrap">
        {logins.map(({ provider, name }) => (
          <button type="button" class="primary" key={provider} onClick={() => void begin(provider)}>
            Sign in to {name}
          </button>
        ))}
      </p>
      <h3>With a key</h3>
      <KeyForm
        providers={keyProviders}
        onAdded={(provider, added) => {
          step.value = { at: "stored", provider, added };
        }}
      />
    </>
  );
}

function Code({ provider, code }: { provider: string; code: Extract<SignInMessage, { type: "code" }> }) {
  const { completeVerificationUrl, expiresAt, qr, userCode, verificationUrl } = code;
  const url = completeVerificationUrl ?? verificationUrl;
  const left = expiresAt - now.value;
  return (
    <>
      <h2>Sign in to {nameOf(provider)}</h2>
      <div class="code">
        <div>
          <ol class="steps">
            <li>
              Open{" "}
              {/^https?:\/\//.test(url) ? (
                <a href={url} target="_blank" rel="noopener noreferrer">
                  {verificationUrl}
                </a>
              ) : (
                <code>{verificationUrl}</code>
              )}
              {qr !== null && ", or scan the picture with a phone."}
            </li>
            <li>
              Enter this code there:
              <Command text={userCode} isLarge />
            </li>
          </ol>
          <p class="muted" role="status">
            {left > 0 ? "Waiting for you to confirm." : "The code is over."}
          </p>
          {left > 0 && (
            <p class="muted small">Good for {formatDuration(left)}. Never enter a code that somebody sent you.</p>
          )}
        </div>
        {qr !== null && (
          <svg class="qr" viewBox={`0 0 ${qr.size} ${qr.size}`} role="img" aria-label={`QR code of ${verificationUrl}`}>
            <rect width={qr.size} height={qr.size} fill="#fff" />
            <path d={qr.path} fill="#000" shape-rendering="crispEdges" />
          </svg>
        )}
      </div>
    </>
  );
}

function nameOf(provider: string): string {
  const { logins = [], keyProviders = [] } = state.value ?? {};
  return [...logins, ...keyProviders].find((one) => one.provider === provider)?.name ?? provider;
}
