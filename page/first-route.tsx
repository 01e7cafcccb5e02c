import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { PoolView } from "../src/gateway/page/view.ts";
import { fetchModels, makeFirstRoute } from "./api.ts";
import { Command } from "./command.tsx";

/** Makes the first route: a provider of the accounts that are there, and one of its models. It is asked for them once somebody wants to choose. */
export function FirstRoute({ pools }: { pools: readonly PoolView[] }) {
  const provider = useSignal(pools[0]?.provider ?? "");
  const model = useRef<HTMLInputElement>(null);
  const models = useSignal<readonly string[]>([]);
  const problem = useSignal<string | null>(null);
  const asked = useRef("");
  const chosen = pools.some((pool) => pool.provider === provider.value) ? provider.value : (pools[0]?.provider ?? "");

  const fail = (error: unknown): void => {
    problem.value = error instanceof Error ? error.message : String(error);
  };
  const list = (): void => {
    if (asked.current === chosen) return;
    asked.current = chosen;
    models.value = [];
    problem.value = null;
    fetchModels(chosen)
      .then((told) => {
        if (asked.current !== chosen) return;
        models.value = told.models;
        problem.value = told.problem;
      })
      .catch(fail);
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    const name = model.current?.value.trim() ?? "";
    problem.value = null;
    if (name !== "") makeFirstRoute(`${chosen}/${name}`).catch(fail);
  };

  return (
    <form class="panel key-form" onSubmit={submit}>
      <p>A route is an ordered list of models: the first serves, the others stand in. Whom to ask first?</p>
      <p class="fields">
        <label>
          Provider
          <select value={chosen} onChange={(event) => (provider.value = event.currentTarget.value)}>
            {pools.map((pool) => (
              <option key={pool.provider} value={pool.provider}>
                {pool.name}
              </option>
            ))}
          </select>
        </label>
        <label>
          Model
          <input
            type="text"
            ref={model}
            list="models"
            required
            maxLength={200}
            autocomplete="off"
            spellcheck={false}
            onFocus={list}
            aria-describedby={problem.value === null ? undefined : "first-route-problem"}
          />
        </label>
        <datalist id="models">
          {models.value.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </p>
      {problem.value !== null && (
        <p id="first-route-problem" class="bad" role="alert">
          {problem.value}
        </p>
      )}
      <p class="row wrap">
        <button type="submit" class="primary">
          Make the first route
        </button>
        <span class="muted small">
          or <Command text="understudy model" />
        </span>
      </p>
    </form>
  );
}
