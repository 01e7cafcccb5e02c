import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { KeyAdded, ProviderChoice } from "../src/gateway/page/view.ts";
import { addKey } from "./api.ts";
import { Command } from "./command.tsx";

interface KeyFormInput {
  readonly providers: readonly ProviderChoice[];
  readonly onAdded: (provider: string, added: KeyAdded) => void;
}

/**
 * Takes a key and hands it to the gateway, once: it is kept nowhere in the page, and the field is emptied before the answer is there. From
 * another machine, over plain http, it takes none and names the command.
 */
export function KeyForm({ providers, onAdded }: KeyFormInput) {
  const chosen = useSignal(providers[0]?.provider ?? "");
  const key = useRef<HTMLInputElement>(null);
  const label = useRef<HTMLInputElement>(null);
  const problem = useSignal<string | null>(null);
  const isBusy = useSignal(false);
  const command = providers.find(({ provider }) => provider === chosen.value)?.command ?? "understudy auth add";

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const text = key.current?.value ?? "";
    if (text.trim() === "" || isBusy.value) return;
    if (key.current !== null) key.current.value = "";
    isBusy.value = true;
    problem.value = null;
    try {
      onAdded(chosen.value, await addKey(chosen.value, text, label.current?.value.trim() ?? ""));
    } catch (error) {
      problem.value = error instanceof Error ? error.message : String(error);
      key.current?.focus();
    }
    isBusy.value = false;
  };

  return (
    <form class="key-form" autocomplete="off" onSubmit={(event) => void submit(event)}>
      <p class="fields">
        <label>
          Provider
          <select value={chosen.value} onChange={(event) => (chosen.value = event.currentTarget.value)}>
            {providers.map(({ provider, name }) => (
              <option key={provider} value={provider}>
                {name}
              </option>
            ))}
          </select>
        </label>
        {isPrivate() && (
          <label>
            Label, if you like
            <input type="text" ref={label} maxLength={100} autocomplete="off" spellcheck={false} placeholder="key-1" />
          </label>
        )}
      </p>
      {isPrivate() ? (
        <>
          <div>
            <label for="new-key">Key</label>
            <p class="row">
              <input
                id="new-key"
                type="password"
                ref={key}
                required
                autocomplete="off"
                spellcheck={false}
                aria-describedby={problem.value === null ? "new-key-fate" : "new-key-problem"}
              />
              <button type="submit" class="primary" disabled={isBusy.value}>
                Store
              </button>
            </p>
          </div>
          {problem.value !== null && (
            <p id="new-key-problem" class="bad" role="alert">
              {problem.value}
            </p>
          )}
          <p id="new-key-fate" class="muted small">
            It is stored sealed on the gateway's machine and never comes back to a page. On the command line:{" "}
            <Command text={command} />
          </p>
        </>
      ) : (
        <p>
          This page came over a network in the clear, so it takes no key. On the gateway's machine:{" "}
          <Command text={command} />
        </p>
      )}
    </form>
  );
}

/** True where nobody between can read what is sent: on the machine itself, through a tunnel, or with TLS. */
function isPrivate(): boolean {
  return isSecureContext;
}
