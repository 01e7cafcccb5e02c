import { expect } from "vitest";
import { readHermesConfig } from "../../src/credentials/imports/hermes.ts";
import { decided, http } from "./parts.ts";
import { better, notApplicable, type PeerCase, same, shownBy } from "./peer-case.ts";
import { problems, resolved } from "./places.ts";
import { playOnce, well } from "./theatre.ts";

/** The chain behind the primary, as it is configured here. */
const chain = (text: string): string[] =>
  resolved(text).routes.flatMap(({ targets }) => targets.slice(1).map(({ provider, model }) => `${provider}/${model}`));

/** What an import reads of the peer's configuration: targets, and places that name none. */
function imported(text: string): { targets: string[]; baseUrls: (string | null)[]; leftOut: string[] } {
  const read = readHermesConfig(text);
  if (!read.ok) throw new Error(read.reason);
  const { targets, leftOut } = read.found;
  return {
    targets: targets.map(({ provider, model }) => `${provider}/${model}`),
    baseUrls: targets.map(({ baseUrl }) => baseUrl),
    leftOut: leftOut.map(({ place }) => place),
  };
}

const plan = { name: "quota-exhausted" } as const;
const dead = { name: "unauthorized" } as const;
const fallbackTest = (title: string) => shownBy("cli/fallback.test.ts", title);
const commandTest = (id: string, file: "model" | "command" | "sign-in" = "model") =>
  shownBy(`hermes-commands/${file}-cases.ts`, `id: "${id}"`);
const changes = "adds, moves, removes and clears, and leaves all else in the file as it was";

/** E: the commands of the chain, the start of a session, and the chain of the peer's pull request 15104. */
export const commandCases: readonly PeerCase[] = [
  same("E168", "nothing is configured", "an empty chain", () => expect(resolved("").routes).toEqual([])),
  same("E169", "two entries", "both, in order", () =>
    expect(chain("routes: { r: [codex/a, openai/b, anthropic/c] }")).toEqual(["openai/b", "anthropic/c"]),
  ),
  same("E170", "a list and the older single entry", "the list, then the other", () =>
    expect(
      imported(`fallback_model: { provider: c, model: three }
fallback_providers: [{ provider: a, model: one }, { provider: b, model: two }]`).targets,
    ).toEqual(["a/one", "b/two", "c/three"]),
  ),
  same("E172", "only the older one", "a chain of one", () =>
    expect(imported("fallback_model: { provider: a, model: one }").targets).toEqual(["a/one"]),
  ),
  same("E173", "entries without a model, without a provider, or of another kind", "they are dropped", () => {
    const { targets, leftOut } = imported(
      "fallback_providers: [{ provider: a }, { model: one }, text, { provider: b, model: two }]",
    );
    expect(targets).toEqual(["b/two"]);
    expect(leftOut).toEqual([0, 1, 2].map((i) => `fallback_providers[${i}]`));
  }),
  same("E174", "somebody changes the chain that was given", "the configuration is as it was", () => {
    const text = "routes: { r: [codex/a, openai/b] }";
    const before = chain(text);
    chain(text).length = 0;
    expect(chain(text)).toEqual(before);
  }),
  same("E176", "an entry with a URL", "it is read", () =>
    expect(imported("fallback_providers: [{ provider: a, model: one, base_url: https://a.example }]").baseUrls).toEqual(
      ["https://a.example"],
    ),
  ),
  same("E177–179", "no provider, no model, no map", "no entry", () => {
    for (const entry of ["{ model: one }", "{ provider: a }", "5"])
      expect(imported(`fallback_model: ${entry}`).targets).toEqual([]);
  }),
  same(
    "E180",
    "list, and there is none",
    "says so, and the command that adds one",
    fallbackTest("lists an empty chain with the command that adds to it"),
  ),
  same(
    "E181",
    "list, a primary and two",
    "each of them",
    fallbackTest("lists the primary and who takes over, for people and programs"),
  ),
  ...notApplicable(
    "a configuration of ours has one spelling of the chain; the peer's older one is read by the import",
    ["E182", "list, the older single entry", "1 entry"],
  ),
  same("E184", "add one that is there", "refused", fallbackTest("each target once in a route")),
  same("E185", "add the primary", "refused", fallbackTest('["add", "codex/gpt-5.5"], /each target once in a route/')),
  same("E186", "add one", "the primary is as it was", fallbackTest(changes)),
  same(
    "E188",
    "add, and nothing is chosen",
    "nothing is added",
    fallbackTest("[[\"add\"], /missing required argument 'target'/]"),
  ),
  same(
    "E189",
    "remove, and there is none",
    "says so",
    fallbackTest("lists an empty chain with the command that adds to it"),
  ),
  same("E190", "remove one of three", "the other two remain", fallbackTest(changes)),
  same("E192", "clear, and there is none", "says so", fallbackTest(changes)),
  better("E193", "clear, and yes", "empty", fallbackTest(changes)),
  better("E194", "clear, and no", "as it was", fallbackTest(changes)),
  same(
    "E198",
    "a command that does not exist",
    "an exit code that says so",
    fallbackTest('[["nope"], /unknown command'),
  ),
  same("E200", "the start", "nothing is resolved yet", commandTest("H128", "command")),
  same("E201", "the first try fails", "the second succeeds", commandTest("H129", "command")),
  ...notApplicable("a route is chosen for each turn: there is no agent that is built anew", [
    "E202",
    "provider and protocol change under one URL and key",
    "the agent is built anew",
  ]),
  same("E204", "a provider in the environment, another in the file", "that of the file", () => {
    const { routes } = resolved("routes: { r: [openai/a] }", { HERMES_INFERENCE_PROVIDER: "openrouter" });
    expect(routes[0]?.targets[0]?.provider).toBe("openai");
  }),
  better("E205", "Codex, no model", "the first of its list", commandTest("H33")),
  same("E206", "a model in the file, another in the environment", "that of the file", commandTest("H134")),
  same("E208", "a model of Codex in the file", "it stays", commandTest("H134")),
  better("E209", "openai/gpt-5.3-codex for Codex", "gpt-5.3-codex", commandTest("H29")),
  better("E210", "a provider that does not exist", "a warning, then any", commandTest("H136")),
  ...notApplicable(
    "no dialog makes a provider of one's own: a person writes its name, protocol and address into the configuration",
    ["E214", "an address that answers only under /v1", "the one that works is saved"],
    ["E216–218", "localhost, RunPod, Together", "a name for each"],
  ),
  same("E220", "the primary's login is dead, a chain", "each entry in order", async () =>
    expect((await playOnce({ provider: "codex", pool: [dead], chain: [plan, well] })).asked).toEqual([
      "k1",
      "k1",
      "t2",
      "t3",
    ]),
  ),
  better("E221", "the first that works", "for the session, with one line about the switch", async () => {
    const { events } = await playOnce({ provider: "codex", pool: [dead], chain: [well] });
    expect(events.filter(({ type }) => type === "switched")).toHaveLength(1);
  }),
  better("E222", "an entry without a provider", "passed over", () =>
    expect(problems("routes: { r: [codex/a, gpt-5.5] }")).toMatch(/provider\/model/),
  ),
  same("E223", "an entry that fails in any way", "the next one", async () =>
    expect((await playOnce({ pool: [dead], chain: [{ name: "forbidden" }, well] })).asked).toEqual(["k1", "t2", "t3"]),
  ),
  better("E224", "the primary fails for another reason than its login", "no walk", () =>
    expect(decided(http(402, {}), { othersLeft: 1 })).toBe("next_target"),
  ),
  same("E225", "all fail", "one error", async () =>
    expect((await playOnce({ pool: [dead], chain: [dead, dead] })).reading.kind).toBe("error"),
  ),
  better("E226", "the chain is one map", "not walked", () =>
    expect(problems("routes: { r: { target: codex/a } }")).toMatch(/targets/),
  ),
];
