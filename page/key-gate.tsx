import { useEffect, useRef } from "preact/hooks";
import { enterKey, keyProblem } from "./admin-key.ts";
import { Command } from "./command.tsx";

/** Asks for the admin key, and says where it is. */
export function KeyGate() {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const submit = (event: Event): void => {
    event.preventDefault();
    const key = input.current?.value.trim() ?? "";
    if (key !== "") enterKey(key);
  };
  return (
    <main class="gate">
      <h1>Understudy</h1>
      <p>
        What this page shows is private, and it can change things. So it asks for the admin key of this gateway. This
        prints it:
      </p>
      <Command text="understudy serve --print-admin-key" />
      <form onSubmit={submit}>
        {/* Tells a password store what the key belongs to. */}
        <input type="text" name="username" autocomplete="username" value="understudy admin" readOnly hidden />
        <label for="key">Admin key</label>
        <div class="row">
          <input
            id="key"
            ref={input}
            type="password"
            autocomplete="current-password"
            spellcheck={false}
            required
            aria-describedby={keyProblem.value === null ? undefined : "key-problem"}
          />
          <button type="submit" class="primary">
            Open
          </button>
        </div>
        {keyProblem.value !== null && (
          <p id="key-problem" class="bad" role="alert">
            {keyProblem.value}
          </p>
        )}
      </form>
      <p class="muted">It stays in this tab, and is forgotten when the tab is closed.</p>
    </main>
  );
}
