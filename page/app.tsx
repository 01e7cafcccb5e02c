import { useEffect } from "preact/hooks";
import { Accounts } from "./accounts.tsx";
import { adminKey, forgetKey } from "./admin-key.ts";
import { ActivityPlots } from "./activity.tsx";
import { FirstRun } from "./first-run.tsx";
import { Headline } from "./headline.tsx";
import { KeyGate } from "./key-gate.tsx";
import { keepListening, link, linkProblem, state } from "./live.ts";
import { Routes } from "./routes.tsx";
import { SignInDialog } from "./sign-in.tsx";
import { startClock } from "./clock.ts";
import { lastSwitch } from "./turn-list.ts";
import { TurnDialog } from "./turn-detail.tsx";
import { Turns } from "./turns.tsx";

const linkWords = { connecting: "connecting…", live: "live", lost: "connection lost, trying again" } as const;

export function App() {
  useEffect(startClock, []);
  useEffect(keepListening, []);
  if (adminKey.value === null) return <KeyGate />;
  return (
    <>
      {state.value !== null && state.value.pools.length > 0 && (
        <a class="skip" href="#turns">
          Skip to the turns
        </a>
      )}
      <header class="top">
        <h1>Understudy</h1>
        <p class={`link link-${link.value}`} role="status">
          {linkWords[link.value]}
        </p>
        <button type="button" class="quiet" onClick={() => forgetKey(null)}>
          Lock
        </button>
      </header>
      {linkProblem.value !== "" && (
        <p class="link-problem bad" role="alert">
          {linkProblem.value}
        </p>
      )}
      <Main />
      <p class="unseen" role="status" aria-live="polite">
        {lastSwitch.value}
      </p>
      <SignInDialog />
      <TurnDialog />
    </>
  );
}

function Main() {
  const now = state.value;
  if (now === null) {
    return (
      <main>
        <p class="waiting">Asking the gateway…</p>
      </main>
    );
  }
  if (now.pools.length === 0) return <FirstRun state={now} />;
  return (
    <main class="stage">
      <Headline state={now} />
      <div class="column">
        <Routes routes={now.routes} pools={now.pools} />
        <Accounts pools={now.pools} />
      </div>
      <div class="column">
        <ActivityPlots />
        <Turns />
      </div>
    </main>
  );
}
