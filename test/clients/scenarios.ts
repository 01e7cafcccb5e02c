import type { Behaviour } from "../../src/simulator/behaviour.ts";
import type { ClientStage } from "./stage.ts";

/** What goes wrong, and what the client must come to. */
export interface Scenario {
  readonly name: string;
  /** `answer`: the person gets one. `tool`: a tool is run and its result answered. `stop`: a clear end. */
  readonly expects: "answer" | "tool" | "stop";
  /** The client's model calls may be so many at most, titles and the like not counted. */
  readonly requests: number;
  /** Words the person must see. */
  readonly sees?: RegExp;
  /** The route, if it is not `coding`. */
  readonly model?: string;
  /** Words of the answer, if they are not the usual ones. */
  readonly says?: string;
  readonly set: (stage: ClientStage) => void | (() => void);
  /** What SDKs come to where it differs: they hand a broken stream to their program, which has shown half of it. */
  readonly sdkExpects?: "stop";
}

/** One account fails in this way; the rest of the route is well. */
function first(name: string, behaviour: Behaviour, requests = 1): Scenario {
  return { name, expects: "answer", requests, set: ({ simulator }) => simulator.codex.setBehaviour("ann", behaviour) };
}

/** Both accounts fail in this way: the turn leaves its provider, and with it its dialect. */
function provider(name: string, behaviour: Behaviour, requests = 1): Scenario {
  return { name, expects: "answer", requests, set: ({ simulator }) => simulator.codex.setBehaviour("*", behaviour) };
}

function everybody({ simulator }: ClientStage, behaviour: Behaviour): void {
  for (const backend of [simulator.codex, simulator.messages, simulator.chat]) backend.setBehaviour("*", behaviour);
}

export const scenarios: readonly Scenario[] = [
  { name: "healthy", expects: "answer", requests: 1, set: () => {} },
  {
    name: "long answer",
    expects: "answer",
    requests: 1,
    says: "The show goes on, whoever is on the stage tonight.",
    set: ({ simulator }) => simulator.codex.setBehaviour("*", "long-answer"),
  },
  { name: "tool round trip", expects: "tool", requests: 2, set: () => {} },
  first("account A empty in-stream", { name: "soft-quota", after: "reasoning" }),
  first("401 at the backend", { name: "unauthorized", code: "token_expired" }),
  {
    name: "refresh token reused",
    expects: "answer",
    requests: 1,
    set({ simulator }) {
      simulator.codex.setBehaviour("ann", { name: "unauthorized", code: "token_expired" });
      simulator.codexIssuer.script("refresh-token-reused", { for: "ann" });
    },
  },
  first("429 with Retry-After", { name: "burst-limit", retryAfterS: 60 }),
  first("429 usage limit", "quota-exhausted"),
  provider("500", "server-error"),
  provider("503", "overloaded"),
  {
    name: "529 behind a spent plan",
    expects: "answer",
    requests: 1,
    set({ simulator }) {
      simulator.codex.setBehaviour("*", "quota-exhausted");
      simulator.messages.setBehaviour("*", "overloaded");
    },
  },
  provider("cut before content", { name: "reset", after: "reasoning" }),
  provider("silence", "silence"),
  provider("a stream without an end", "no-terminal"),
  provider("malformed event in the text", "malformed-event"),
  {
    name: "4 s of thinking",
    expects: "answer",
    requests: 1,
    set({ simulator }) {
      simulator.codex.setBehaviour("*", "slow-first-event");
      // Longer than the client's own patience where it has a setting for it; only signs of life keep it waiting.
      const timer = setInterval(() => simulator.codex.release(), 4_000);
      return () => clearInterval(timer);
    },
  },
  {
    name: "cut after content",
    expects: "answer",
    sdkExpects: "stop",
    requests: 3,
    set: ({ simulator }) =>
      simulator.codex.script(
        { name: "cut-mid-text", text: "Half of an answer that breaks off. ".repeat(8) },
        { for: "ann" },
      ),
  },
  {
    name: "cut after content, gone on in",
    expects: "answer",
    requests: 1,
    model: "going-on",
    says: "And here it goes on.",
    set({ simulator }) {
      const text = "Half of an answer that breaks off. ".repeat(8);
      simulator.codex.setBehaviour("ann", { name: "cut-mid-text", text });
      simulator.codex.setBehaviour("ben", { text: "And here it goes on." });
    },
  },
  {
    name: "all plans spent",
    expects: "stop",
    requests: 1,
    sees: /limit/i,
    set: (stage) => everybody(stage, { name: "quota-exhausted", resetsInS: 7_200 }),
  },
  {
    name: "everybody needs a sign-in",
    expects: "stop",
    requests: 1,
    sees: /understudy auth add/,
    set(stage) {
      everybody(stage, "unauthorized");
      stage.simulator.codexIssuer.script("refresh-token-reused", { times: 2 });
    },
  },
  {
    name: "unknown model",
    expects: "stop",
    requests: 0,
    sees: /no-such-route/,
    model: "no-such-route",
    set: () => {},
  },
];
