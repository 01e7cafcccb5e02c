import type { TurnEvent } from "../core/events.ts";
import type { Answer } from "../turn/turn.ts";
import { ann, ben, type DemoStage } from "./demo-stage.ts";

/** What an act's turn came to. */
export interface ActResult {
  readonly events: readonly TurnEvent[];
  readonly answer: Answer | null;
  readonly error: string | null;
}

/** One act: what goes wrong, what is asked, and what must have happened. */
export interface Act {
  readonly title: string;
  /** What the audience should know before the curtain rises. */
  readonly plot: string;
  readonly prompt: string;
  /** Sets the scene. May run a command of the person; `show` prints its lines. */
  readonly prepare: (stage: DemoStage, show: (line: string) => void) => Promise<void>;
  /** `label reason` of each failed attempt, then `label ok`. */
  readonly expected: readonly string[];
  /** What else must be true; each by a name that is shown. */
  readonly checks: Readonly<Record<string, (result: ActResult, stage: DemoStage) => boolean>>;
}

const answered =
  (prompt: string) =>
  ({ answer }: ActResult): boolean =>
    answer?.text === `The simulator heard: ${prompt}`;

/** The story of the pull request that this project grew from, in four acts. */
export function composeActs(signIn: (stage: DemoStage, show: (line: string) => void) => Promise<void>): readonly Act[] {
  return [
    {
      title: "The plan runs dry in mid-thought",
      plot: `${ann} meets her plan's limit: HTTP 200, some reasoning, then response.failed. It resets in 3 hours.`,
      prompt: "Which test covers the parser?",
      async prepare({ simulator }) {
        simulator.codex.script({ name: "soft-quota", after: "reasoning", resetsInS: 3 * 3_600 }, { for: ann });
      },
      expected: [`${ann} quota`, `${ben} ok`],
      checks: {
        "the caller saw one clean answer": answered("Which test covers the parser?"),
        "nothing of the first attempt is in it": ({ answer }) => answer?.reasoning === "",
        "her login rests for the 3 hours that the provider named": ({ events }) =>
          events.some(
            (event) =>
              event.type === "attempt-failed" &&
              Math.abs((event.failure.retryAt ?? 0) - event.at - 3 * 3_600_000) < 60_000,
          ),
      },
    },
    {
      title: "Somebody else used the refresh token",
      plot: `The Codex CLI has refreshed ${ben}'s login: our refresh token is spent. The backend ends his access token.`,
      prompt: "Run them, please.",
      async prepare({ simulator }) {
        simulator.codexIssuer.consumeRefreshToken(ben);
        simulator.codexIssuer.revokeAccess(ben);
      },
      expected: [`${ben} auth`, `${ben} relogin_required`, "team-key ok"],
      checks: {
        "the turn was answered by the next provider": answered("Run them, please."),
        "the message names the login, the cause and one command": ({ events }) =>
          events.some(
            (event) =>
              event.type === "relogin-required" &&
              event.candidate.credential.label === ben &&
              event.failure.code === "refresh_token_reused" &&
              event.command === "understudy auth add codex --force-new-login",
          ),
        "the dead token was sent once": ({ events }, { simulator }) =>
          events.length > 0 && simulator.codexIssuer.counters.reused === 1,
      },
    },
    {
      title: "The next provider is overloaded",
      plot: "Both Codex logins are out. Anthropic opens a stream and then says overloaded_error in it.",
      prompt: "And the slow ones?",
      async prepare({ simulator }) {
        simulator.messages.script("overloaded-in-stream");
      },
      expected: ["team-key overloaded", "gpu-box ok"],
      checks: {
        "the third provider answered": answered("And the slow ones?"),
        "no dead login was called again": (_, { simulator }) => simulator.codex.callsOf(ann) === 1,
      },
    },
    {
      title: "One command repairs it",
      plot: `A person runs the command that act 2 named, and signs ${ben} in again with a device code.`,
      prompt: "Thank you. Anything left?",
      prepare: signIn,
      expected: [`${ben} ok`],
      checks: {
        "the turn is back on Codex": answered("Thank you. Anything left?"),
        "the login was renewed in its place": ({ answer }) => answer?.servedBy.credential.label === ben,
      },
    },
  ];
}

/** `label reason` of each failed attempt, then `label ok`. */
export function tellStory(events: readonly TurnEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.type === "attempt-failed") return [`${event.candidate.credential.label} ${event.failure.reason}`];
    return event.type === "committed" ? [`${event.candidate.credential.label} ok`] : [];
  });
}
