import type { PageState } from "../src/gateway/page/view.ts";
import { Command } from "./command.tsx";
import { openSignIn } from "./sign-in.tsx";

/** Leads whoever comes for the first time to the first sign-in, and on from there. */
export function FirstRun({ state }: { state: PageState }) {
  const main = state.logins.find(({ provider }) => provider === "codex") ?? state.logins[0];
  return (
    <main class="first-run">
      <h2>Welcome</h2>
      <p class="lead">
        Understudy keeps an agent's turn alive when a login or a quota fails: another of your accounts stands in. It has
        none yet. Three steps, and the first turn can go through.
      </p>
      <ol class="big-steps">
        <li>
          <h3>Bring an account</h3>
          <p>Two are better: the second one stands in for the first.</p>
          <p class="row wrap">
            {main !== undefined && (
              <button type="button" class="primary" onClick={() => openSignIn(main.provider)}>
                Sign in to {main.name}
              </button>
            )}
            <button type="button" onClick={() => openSignIn(null)}>
              Another provider, or a key…
            </button>
          </p>
        </li>
        <li>
          <h3>Choose whom to ask first</h3>
          <p>
            As soon as an account is there, this page asks for it. On the command line:{" "}
            <Command text="understudy model" />
          </p>
        </li>
        <li>
          <h3>Start your agent through it</h3>
          <p>Its own files stay as they are:</p>
          <p class="row wrap">
            <Command text="understudy run codex" />
            <Command text="understudy run claude" />
          </p>
          <p class="muted">
            Any other client takes the base URL <code>{location.origin}/v1</code> and the key that{" "}
            <code>understudy serve --print-key</code> shows.
          </p>
        </li>
      </ol>
    </main>
  );
}
