import type { AccountView, PoolView, RestView } from "../src/gateway/page/view.ts";
import { act, problem } from "./act.ts";
import { pauseAccount, resetAccount, resetPool, resumeAccount } from "./api.ts";
import { Command } from "./command.tsx";
import { PlanWindows } from "./plan-windows.tsx";
import { openSignIn } from "./sign-in.tsx";
import { now } from "./clock.ts";
import { formatDuration } from "./format.ts";

/** The accounts by provider: how each stands, and what can be done about it. */
export function Accounts({ pools }: { pools: readonly PoolView[] }) {
  return (
    <section aria-labelledby="accounts">
      <div class="heading">
        <h2 id="accounts">Accounts</h2>
        <button type="button" onClick={() => openSignIn(null)}>
          Add…
        </button>
      </div>
      {problem.value !== null && (
        <p class="bad" role="alert">
          {problem.value}
        </p>
      )}
      <div class="panel pools">
        {pools.map((pool) => (
          <Pool key={pool.provider} pool={pool} />
        ))}
      </div>
    </section>
  );
}

const strategyWords: Readonly<Record<string, string>> = {
  fill_first: "one after the other",
  round_robin: "in turns",
  least_used: "the least used first",
  random: "by chance",
  quota_aware: "by what is left of the plans",
};

function Pool({ pool }: { pool: PoolView }) {
  const { accounts, name, provider, rests, strategy } = pool;
  return (
    <div class="pool">
      <div class="pool-heading">
        <h3>{name}</h3>
        {accounts.length > 1 && <span class="muted">{strategyWords[strategy] ?? strategy}</span>}
      </div>
      {rests.length > 0 && (
        <div class="rests">
          <Rests rests={rests} />
          <button type="button" onClick={() => act(() => resetPool(provider))} aria-label={`End rests of ${name}`}>
            End rests
          </button>
        </div>
      )}
      <ul class="accounts">
        {accounts.map((account) => (
          <Account key={account.id} account={account} provider={provider} isAlone={accounts.length === 1} />
        ))}
      </ul>
    </div>
  );
}

function Account({ account, provider, isAlone }: { account: AccountView; provider: string; isAlone: boolean }) {
  const { id, label, command, email, lastUsedAt, plan, rests, source, state, words } = account;
  const used = lastUsedAt === null ? [] : [`used ${formatDuration(now.value - lastUsedAt)} ago`];
  const about = [source, ...(email === null || email === label ? [] : [email]), ...used].join(" · ");
  const mayEnd = state === "resting" || rests.length > 0;
  const maySignIn = account.canSignIn && state === "sign_in";
  const isPlain = state === "ready" && words === "ready";
  return (
    <li class={`account account-${state}`}>
      <div class="account-top">
        <span class="dot" />
        <strong>{label}</strong>
        <span class="muted about">{about}</span>
        <State account={account} isAlone={isAlone} />
        {account.stored && (
          <button
            type="button"
            class="quiet"
            aria-label={`${state === "paused" ? "Resume" : "Pause"} ${label}`}
            onClick={() => act(() => (state === "paused" ? resumeAccount(id) : pauseAccount(id)))}
          >
            {state === "paused" ? "Resume" : "Pause"}
          </button>
        )}
      </div>
      {plan !== null && <PlanWindows plan={plan} label={label} />}
      {!isPlain && <p class="words">{words}</p>}
      <Rests rests={rests} />
      {command !== null && state !== "paused" && <Command text={command} />}
      {(mayEnd || maySignIn) && (
        <div class="actions">
          {maySignIn && (
            <button
              type="button"
              class="primary"
              onClick={() => openSignIn(provider)}
              aria-label={`Sign in again as ${label}`}
            >
              Sign in again
            </button>
          )}
          {mayEnd && (
            <button type="button" onClick={() => act(() => resetAccount(id))} aria-label={`End rest of ${label}`}>
              End rest
            </button>
          )}
        </div>
      )}
    </li>
  );
}

function State({ account: { next, state, until }, isAlone }: { account: AccountView; isAlone: boolean }) {
  switch (state) {
    case "ready":
      return next && !isAlone ? (
        <span class="badge badge-good">serves next</span>
      ) : (
        <span class="badge badge-plain">ready</span>
      );
    case "resting":
      return <span class="badge badge-warn">rests {until === null ? "" : formatDuration(until - now.value)}</span>;
    case "sign_in":
      return <span class="badge badge-bad">sign in again</span>;
    case "paused":
      return <span class="badge badge-plain">paused</span>;
  }
}

function Rests({ rests }: { rests: readonly RestView[] }) {
  if (rests.length === 0) return null;
  return (
    <ul class="rest-list">
      {rests.map(({ model, words }) => (
        <li key={model}>
          {model === "" ? "All models" : <code>{model}</code>}: {words}
        </li>
      ))}
    </ul>
  );
}
