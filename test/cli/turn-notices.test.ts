import { describe, expect, it } from "vitest";
import { createTurnNotices } from "../../src/cli/turn-notices.ts";
import type { Candidate, TurnEvent } from "../../src/core/events.ts";
import type { Failure } from "../../src/core/failure.ts";
import type { Route } from "../../src/core/target.ts";
import type { ApiKeyCredential } from "../../src/credentials/credential.ts";
import type { BlockedCandidate } from "../../src/turn/candidates.ts";

const now = Date.UTC(2026, 10, 22, 12);
const route: Route = {
  name: "coding",
  strict: false,
  targets: [
    { provider: "codex", model: "gpt-5.5" },
    { provider: "openai", model: "gpt-5.5" },
  ],
};
const [codex, openai] = route.targets;
const candidate = (provider: string, label: string): Candidate => ({
  provider,
  model: "gpt-5.5",
  credential: { id: label, label },
});
const failure = (reason: Failure["reason"], message = "the provider's own words"): Failure => ({
  reason,
  scope: "credential",
  next: "next_credential",
  reloginRequired: reason === "relogin_required",
  message,
  row: "row",
});
const start = (who: Candidate, attempt = 1): TurnEvent => ({ type: "attempt-start", attempt, candidate: who, at: now });

function tell(events: readonly TurnEvent[], blocked: readonly BlockedCandidate[] = [], verbose = false): string[] {
  const lines: string[] = [];
  const notice = createTurnNotices({
    route,
    blocked,
    findProvider: () => null,
    verbose,
    say: (line) => lines.push(line),
  });
  for (const event of events) notice(event);
  return lines;
}

function paused(label: string): BlockedCandidate {
  const credential: ApiKeyCredential = {
    kind: "api_key",
    id: label,
    provider: "codex",
    label,
    priority: 0,
    paused: true,
    createdAt: 0,
    uses: 0,
    lastUsedAt: 0,
    source: { from: "none" },
    persisted: true,
  };
  return { target: codex ?? { provider: "", model: "" }, why: "blocked", blocked: { credential, why: "paused" } };
}

describe("what a person is told of a turn", () => {
  it("is nothing when the first one answers", () => {
    const work = candidate("codex", "work");
    const attempt = { attempt: 1, candidate: work, at: now };
    expect(tell([start(work), { type: "committed", ...attempt }])).toEqual([]);
  });

  it("is one line per switch, without the provider's words", () => {
    const [from, to] = [candidate("codex", "work"), candidate("openai", "key-1")];
    const switched: TurnEvent = {
      type: "switched",
      from,
      to,
      failure: { ...failure("quota"), retryAt: now + 7_200_000 },
      at: now,
    };
    expect(tell([start(from), switched, start(to, 2)])).toEqual([
      expect.stringMatching(
        /^codex\/gpt-5\.5 · work: the plan's limit is reached, until (?:\d+ \w+ )?\d\d:\d\d \(in 2 h\) -> openai\/gpt-5\.5 · key-1$/,
      ),
    ]);
  });

  it("names what ended a login and the command, once", () => {
    const [from, to] = [candidate("codex", "work"), candidate("openai", "key-1")];
    const dead = failure("relogin_required", "used by another client");
    const command = "understudy auth add codex --force-new-login";
    const lines = tell([
      start(from),
      { type: "relogin-required", candidate: from, failure: dead, command, at: now },
      { type: "switched", from, to, failure: dead, at: now },
      start(to, 2),
    ]);
    expect(lines).toEqual([
      "codex/gpt-5.5 · work: sign in again (used by another client) -> openai/gpt-5.5 · key-1",
      `  run ${command}`,
    ]);
  });

  it("names the targets that could not be tried, a line each, and no others", () => {
    const key = candidate("openai", "key-1");
    const behind: BlockedCandidate = { target: openai ?? { provider: "", model: "" }, why: "no_provider" };
    expect(tell([start(key), start(key, 2)], [paused("work"), paused("home"), behind])).toEqual([
      "codex/gpt-5.5 · work: paused by hand (and 1 more of its pool) -> openai/gpt-5.5 · key-1",
      "  run understudy auth resume codex work",
    ]);
    expect(tell([start(candidate("codex", "third"))], [paused("work"), behind])).toEqual([]);
  });
});
