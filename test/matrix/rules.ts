import { commandTable } from "../../src/cli/program.ts";
import type { Failure } from "../../src/core/failure.ts";
import { type Cell, expectedOutcome, type Outcome } from "./cells.ts";
import type { Observation, Sighting } from "./run-cell.ts";

/** A rule that a cell broke, and how. */
export interface Fault {
  readonly rule: string;
  readonly why: string;
}

/** Rule → what it says, as on the page. */
export const rules: Readonly<Record<string, string>> = {
  R2: "if one usable candidate exists, the turn is answered",
  R3: "one answer of one candidate and nothing of another's in it; a cut answer is never passed as complete",
  R4: "a failure counts against exactly whom it concerns; the caller's own mistake against nobody",
  R5: "a cooldown never becomes shorter",
  R7: "no request goes anywhere but to the providers' own addresses",
  R8: "no key or token in what the caller, the observers and the journal get",
  R10: "every switch is told once as an event, named in the headers, and kept in the journal",
  R11: "another credential of the same provider is asked before another provider, when the fault is the credential's",
  R12: "a turn that nobody could answer names each candidate, its cause, and a command that exists",
};

/** What came out, against what must come out and against the rules. */
export function faultsOf(
  observation: Observation,
  outcome: Outcome | "truncated",
): { held: string[]; broken: Fault[] } {
  const { cell, first, second } = observation;
  const expected = expectedOutcome(cell);
  const [primary] = cell.subject.targets;
  const faults: Record<string, string[]> = {
    ...(expected === "answered" ? { R2: answered(observation, outcome) } : {}),
    R3: [...mixed(observation, first, outcome), ...(second === null ? [] : mixed(observation, second, "answered"))],
    R4: blamed(observation, outcome),
    R5: [...observation.shortened],
    R7: observation.unplanned > 0 ? [`${observation.unplanned} requests to unknown places`] : [],
    R8: leaked(observation),
    R10: [...told(first, outcome, primary), ...(second === null ? [] : told(second, "answered", primary))],
    ...(hasPoolFault(first) ? { R11: poolFirst(observation) } : {}),
    ...(expected === "failed" ? { R12: explained(observation) } : {}),
  };
  if (expected !== "answered" && outcome !== expected) {
    faults["R3"]?.push(
      `the caller got ${outcome} where ${expected} is due: ${first.reading.told ?? first.reading.text}`,
    );
  }
  if (observation.notices.length > 0) faults["R12"] = [...(faults["R12"] ?? []), ...observation.notices];
  const broken = Object.entries(faults).flatMap(([rule, list]) => list.map((why) => ({ rule, why })));
  return { held: Object.keys(faults).filter((rule) => faults[rule]?.length === 0), broken };
}

function answered({ first, second }: Observation, outcome: Outcome | "truncated"): string[] {
  if (outcome !== "answered") return [`${outcome}: ${first.reading.told ?? first.reading.finish ?? ""}`];
  if (second !== null && second.reading.kind !== "answer") return [`the next turn: ${second.reading.told ?? ""}`];
  return [];
}

/** One whole answer of who is named, or the beginning of one; no oddity in it. */
function mixed({ players, cell }: Observation, { reading, reply }: Sighting, outcome: Outcome | "truncated"): string[] {
  const wrong = reading.oddities.map((oddity) => oddity);
  if (outcome === "truncated") wrong.push("a cut answer was passed as complete");
  if (outcome === "failed") {
    if (reading.text !== "" || reading.calls.length > 0) wrong.push("an error with content before it");
    return wrong;
  }
  const served = servedBy(reply.headers["x-understudy-served-by"]);
  const player = players.find(({ label }) => label === served);
  if (outcome === "refused" && reading.kind === "error") return wrong;
  if (player === undefined) return [...wrong, `served by ${served}, whom nobody knows`];
  if (outcome === "answered") {
    if (reading.text !== player.text) wrong.push(`not the whole text of ${served}: ${reading.text}`);
    if (reading.calls.length > 0) wrong.push("a call that was never made");
    return wrong;
  }
  if (!player.text.startsWith(reading.text)) wrong.push(`not the beginning of ${served}'s text: ${reading.text}`);
  if (reading.calls.length > 1) wrong.push("more calls than one");
  if (cell.shape.spec.after !== "tool-call" && reading.calls.length > 0) wrong.push("a call that was never made");
  return wrong;
}

/** Cooldowns stand against whom a failure concerned, and against nobody who answered. */
function blamed(observation: Observation, outcome: Outcome | "truncated"): string[] {
  const { cooldowns, first, second, cell } = observation;
  const wrong: string[] = [];
  if (outcome === "refused" && cooldowns.length > 0) wrong.push(`a refusal benched ${cooldowns.length}`);
  const failures = [first, second].flatMap((turn) => failuresOf(turn));
  for (const { provider, credentialId, model, reason } of cooldowns) {
    const concerned = failures.some(
      ({ failure, candidate }) =>
        candidate.provider === provider &&
        (credentialId === ""
          ? failure.scope === "model" || failure.scope === "provider"
          : candidate.credential.id === credentialId && failure.scope.startsWith("credential")) &&
        (model === "" || candidate.model === model),
    );
    if (!concerned) wrong.push(`${reason} rests ${provider}/${credentialId}/${model}, which never failed so`);
    if (cell.shape.nature === "passes") wrong.push(`${reason} rests somebody although nobody failed`);
  }
  const last = (second ?? first).events.find((event) => event.type === "committed");
  if (last?.type !== "committed" || (second ?? first).reading.kind !== "answer") return wrong;
  const { candidate } = last;
  const benched = cooldowns.filter(
    (one) =>
      one.provider === candidate.provider &&
      (one.credentialId === "" || one.credentialId === candidate.credential.id) &&
      (one.model === "" || one.model === candidate.model),
  );
  if (benched.length > 0) wrong.push(`${candidate.credential.label} answered and rests: ${benched[0]?.reason}`);
  return wrong;
}

function leaked({ first, second, cooldowns, secrets }: Observation): string[] {
  const seen = JSON.stringify([
    [first, second].map((turn) => turn && [turn.reply.text, turn.reply.headers, turn.events, turn.record]),
    cooldowns,
  ]);
  return secrets.some((secret) => seen.includes(secret)) ? ["a secret is in it"] : [];
}

function told({ events, reply, record, asked }: Sighting, outcome: Outcome | "truncated", primary: string): string[] {
  const wrong: string[] = [];
  const attempts = events.flatMap((event) => (event.type === "attempt-start" ? [event.candidate] : []));
  let changes = 0;
  for (const [index, candidate] of attempts.entries()) {
    const before = attempts[index - 1];
    const same = before?.credential.id === candidate.credential.id && before.provider === candidate.provider;
    if (before !== undefined && !same) changes += 1;
  }
  const switches = events.filter((event) => event.type === "switched").length;
  if (switches !== changes) wrong.push(`${changes} changes and ${switches} switches told`);
  if (record === null) return [...wrong, "no record in the journal"];
  const journal = record.attempts.map((attempt) => attempt.candidate.credential.label).join(" ");
  const labels = attempts.map((candidate) => candidate.credential.label).join(" ");
  if (journal !== labels) wrong.push(`the journal has ${journal}, tried were ${labels}`);
  const called = record.attempts
    .filter((attempt) => attempt.called)
    .map((attempt) => attempt.candidate.credential.label);
  if (called.join(" ") !== asked.join(" "))
    wrong.push(`called ${called.join(" ")}, the providers saw ${asked.join(" ")}`);
  const header = (name: string): string => String(reply.headers[`x-understudy-${name}`]);
  if (header("attempts") !== String(attempts.length)) wrong.push(`header says ${header("attempts")} attempts`);
  if (outcome === "failed" || header("served-by") === "none") return wrong;
  const [one] = attempts;
  const last = attempts.at(-1);
  // Somebody else than the first who was tried, or another target than the first of the route.
  const switched = one?.credential.id !== last?.credential.id || `${last?.provider}/${last?.model}` !== primary;
  if (header("switched") !== String(switched)) wrong.push(`header says switched: ${header("switched")}`);
  if (servedBy(reply.headers["x-understudy-served-by"]) !== last?.credential.label) wrong.push("header names another");
  return wrong;
}

function hasPoolFault(turn: Sighting): boolean {
  return failuresOf(turn).some(({ failure }) => failure.scope.startsWith("credential"));
}

/** After a credential's own failure the next one asked is of the same provider, as long as there is one not asked yet. */
function poolFirst({ first, players }: Observation): string[] {
  const wrong: string[] = [];
  const tried = new Set<string>();
  const attempts = first.record?.attempts ?? [];
  for (const [index, { candidate, failure, decision }] of attempts.entries()) {
    tried.add(candidate.credential.label);
    const next = attempts[index + 1];
    if (next === undefined || failure === null || !failure.scope.startsWith("credential")) continue;
    if (decision?.action !== "next_credential" && decision?.action !== "next_target") continue;
    const left = players.some(({ provider, label }) => provider === candidate.provider && !tried.has(label));
    if (left && next.candidate.provider !== candidate.provider) {
      wrong.push(`${next.candidate.credential.label} was asked before the pool of ${candidate.provider} was through`);
    }
  }
  return wrong;
}

/** Every candidate by name, and a command wherever only a person helps. */
function explained({ first, players }: Observation): string[] {
  const message = first.reading.told ?? "";
  const wrong = players
    .filter(({ label }) => !message.includes(`· ${label}`))
    .map(({ label }) => `${label} is not named`);
  const commands = [...message.matchAll(/run understudy ([a-z-]+)/g)].map(([, name]) => name);
  for (const command of commands) {
    if (!commandTable.some(({ name }) => name === command)) wrong.push(`understudy ${command} does not exist`);
  }
  const person = failuresOf(first).some(({ failure }) => failure.reason === "auth" || failure.reloginRequired);
  if (person && commands.length === 0) wrong.push("only a person helps, and no command is named");
  return wrong;
}

function failuresOf(
  turn: Sighting | null,
): { failure: Failure; candidate: NonNullable<Sighting["record"]>["attempts"][number]["candidate"] }[] {
  return (turn?.record?.attempts ?? []).flatMap(({ failure, candidate }) =>
    failure === null ? [] : [{ failure, candidate }],
  );
}

/** The label at the end of `provider/model/label`. */
function servedBy(header: string | string[] | undefined): string {
  return (
    decodeURIComponent(String(header ?? ""))
      .split("/")
      .at(-1) ?? ""
  );
}

/** Cells that differ from what must be, in words. */
export function describeBroken({ id, broken }: { id: string; broken: readonly Fault[] }): string {
  return `${id}\n${broken.map(({ rule, why }) => `    ${rule}: ${why}`).join("\n")}`;
}

export type { Cell };
