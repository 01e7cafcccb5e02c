import { expect } from "vitest";
import { isUsableSecret } from "../../src/core/secret.ts";
import { readModelList } from "../../src/providers/model-list.ts";
import { builtInProviders, findProvider } from "../../src/providers/registry.ts";
import { commandCases as playedCommands } from "../hermes-commands/command-cases.ts";
import type { CommandCase } from "../hermes-commands/case.ts";
import { modelCases } from "../hermes-commands/model-cases.ts";
import { signInCases } from "../hermes-commands/sign-in-cases.ts";
import { commandCases } from "./command-cases.ts";
import { http, key, now, rest, second, usable } from "./parts.ts";
import { better, notApplicable, type PeerCase, same, shownBy } from "./peer-case.ts";
import { place } from "./places.ts";
import { poolCases } from "./pool-cases.ts";
import { resolutionCases } from "./resolution-cases.ts";
import { play, playOnce, well } from "./theatre.ts";

/** Cases that are played as processes, and those of the list that one of them shows as well. */
function played(file: string, cases: readonly CommandCase[]): PeerCase[] {
  return cases.flatMap(({ id, title, peer, differs = false }) =>
    [id === "HV1" ? "Hj5" : id, ...(also[id] ?? [])].map((name) =>
      (differs ? better : same)(name, title, peer, shownBy(`hermes-commands/${file}.ts`, `id: "${id}"`)),
    ),
  );
}

const also: Readonly<Partial<Record<string, readonly string[]>>> = {
  H25: ["H24"],
  H26: ["H28"],
  H29: ["H30"],
  H33: ["H34", "H132"],
  H48: ["H49", "H50"],
  H54: ["H65", "H66"],
  H61: ["H62", "H80"],
  H134: ["H133"],
  H140: ["H141", "H142", "H145"],
  H180: ["H177", "H178", "H181"],
};

/** What two of the peer's test files ask alike. */
function alike(pairs: Readonly<Record<string, string>>): PeerCase[] {
  return Object.entries(pairs).map(([id, name]) => {
    const known = [...poolCases, ...resolutionCases, ...commandCases].find((one) => one.id === name);
    if (known === undefined) throw new Error(`there is no case ${name}`);
    return { ...known, id };
  });
}

const refreshRow = (title: string) => shownBy("oauth/hermes-refresh-rows.test.ts", title);
const keeper = (title: string) => shownBy("credentials/keeper.test.ts", title);
const stores = (title: string) => shownBy("contract/store.ts", title);

const notSeeded =
  "nothing is seeded from files or programs of others, so there is nothing that a removal would keep from coming back";
const leftOut = "this login is left out, and said so when it is asked for";
const otherTools = "logins of other tools are only read when a person imports them";
const oneStore = "a login stands in one place, not in a pool and beside it";
const profiles = "there are no profiles below a root: one home folder has one store";

/** H: the cases of the peer's sign-in, its pool and its commands (R and C11: those of the reference client). */
export const loginCases: readonly PeerCase[] = [
  ...played("sign-in-cases", signInCases),
  ...played("model-cases", modelCases),
  ...played("command-cases", playedCommands),

  same(
    "H13",
    "a refused refresh with a code in a nested error",
    "the code, no new login",
    refreshRow("nested error with a code"),
  ),
  same(
    "H14",
    "invalid_grant in a flat error",
    "the code, a new login, the words",
    refreshRow('"invalid_grant", "invalid_token"'),
  ),
  same(
    "H22",
    "signed in; what now?",
    "use it or sign in again is asked; the second signs in",
    shownBy("cli/models.test.ts", "asks for provider and model, signs in on the way, and marks what is in use"),
  ),
  same("H146", "the token endpoint answers 429", "when to try again, no new login", refreshRow("429 with Retry-After")),
  same(
    "H152",
    "refused, and there is no other tool",
    "the refusal",
    shownBy("hermes-commands/sign-in-cases.ts", 'id: "H12"'),
  ),
  same(
    "H153",
    "the refresh works",
    "no other tool's file is read",
    shownBy("hermes-commands/sign-in-cases.ts", 'id: "H5"'),
  ),
  same(
    "H154",
    "refused, and the other tool has half a login",
    "the refusal, nothing is saved",
    shownBy("hermes-commands/sign-in-cases.ts", 'id: "H150"'),
  ),
  ...notApplicable(otherTools, [
    "H156",
    "no login, and half a one of the other tool",
    "its code names the missing token",
  ]),

  ...notApplicable(
    "asserts the name or the order of a function inside of the peer, which nobody outside sees",
    ["H18", "the function that the set-up imports", "it is there"],
    ["H76", "the removal of a manual row", "no step"],
    ["H77", "the removal of Copilot's row", "its own step comes first"],
  ),
  ...notApplicable(
    leftOut,
    ["H40", "a login of Nous", "one row"],
    ["H41", "the same with a label", "that label"],
    ["H93", "an old login of Nous with its own TLS settings", "kept"],
    ["H108", "Copilot without a token", "no row"],
    ["H109", "a login of Qwen", "one row"],
    ["H110", "none", "no row"],
    ["H116", "a login of Qwen", "Chat Completions"],
    ["H117", "qwen-portal", "Qwen"],
    ["H157", "logins of Qwen, MiniMax and xAI", "a row each"],
  ),
  ...notApplicable(
    notSeeded,
    ["H57", "a row of Claude Code is removed", "it stays away"],
    ["H58", "a mark is taken back", "gone"],
    ["H60", "two marks", "the other stays"],
    ["H64", "a mark, and a login of the Codex program", "nothing is seeded"],
    ["H68", "a mark, and xAI's variable", "nothing is seeded"],
    ["H69", "the same for OpenRouter", "nothing is seeded"],
    ["H70", "the same for Nous", "nothing is seeded"],
    ["H72", "the same for Qwen", "nothing is seeded"],
    ["H73", "the same for Anthropic", "nothing is seeded"],
    ["H74", "the same for a custom provider", "nothing is seeded"],
    ["H78", "a row of Copilot is removed", "four marks"],
  ),

  ...alike({
    H81: "B1",
    H82: "B2",
    H84: "B4",
    H85: "B5",
    H86: "B6",
    H88: "B9",
    H89: "B17",
    H96: "B49",
    H97: "B50",
    H98: "B56",
    H100: "B53",
    H101: "B54",
    H104: "B58",
    H106: "B60",
  }),
  same("H90", "a key of the environment whose variable is gone", "no row", () =>
    expect(place("openrouter/m", "", {}).keys).toEqual([]),
  ),
  ...notApplicable(
    otherTools,
    ["H92", "a row of Claude Code, no file", "no row"],
    ["H94", "a manual row and the file of the same provider", "both"],
  ),
  ...notApplicable("a provider of one's own is called as a person wrote it; no name is made of its address", [
    "H102",
    "an address with and without a slash, a name with blanks",
    "one name for each",
  ]),
  ...notApplicable("no key is leased: a turn under way keeps nobody from another", [
    "H105",
    "a lease ends",
    "none is left",
  ]),

  ...notApplicable(
    oneStore,
    ["H112", "an empty pool, a login beside it", "that login"],
    ["H137", "no login, a pool with one", "that of the pool"],
    ["H144", "a row without a refresh token of the same login", "it gains one"],
  ),
  ...alike({
    H113: "E8",
    H114: "E5",
    H118: "E80",
    H120: "E20",
    H121: "E18",
    H122: "E44",
    H124: "E45",
    H125: "E50",
    H126: "E25",
    H138: "B1",
    H149: "B18",
    H165: "B10",
    H166: "B70",
    H168: "B78",
    H173: "E170",
    H186: "B48",
  }),
  ...notApplicable("a route is chosen for each turn: there is no agent that is built anew", [
    "H130",
    "another provider under one key and URL",
    "the agent is built anew",
  ]),
  same(
    "H161",
    "the configuration can't be written",
    "the error is told; it is as it was",
    shownBy("cli/import.test.ts", "writes nothing at all when the configuration can't take it"),
  ),
  same("H164", "401, 310 s ago", "selectable", () =>
    expect(usable([key("a")], [rest(http(401, {}), "a", now - 310 * second)])).toEqual(["a"]),
  ),
  same("H169", "one process adds, another removes", "the added one stays, the removed one is gone", async () => {
    for (const id of ["B80", "B81"]) await proofOf(id);
  }),
  ...notApplicable(
    profiles,
    ["H170", "a profile without a login, a root with one", "both get the rotated pair"],
    ["Hj1", "sixteen ways to read a profile and a root", "the profile's, else the root's"],
    ["H184", "a lock after a switch of the profile", "its own"],
  ),
  same(
    "Hj2",
    "the files of logins under umask 022",
    "0600 in a folder of 0700",
    shownBy("stores/sqlite-file.test.ts", "is for its owner alone, with its folder and companions"),
  ),
  same("Hj3", "what makes Anthropic configured", "its key does, Claude Code's token alone does not", () => {
    const token = "sk-ant-oat01-0123456789abcdef";
    expect([
      place("anthropic/c", "", { ANTHROPIC_API_KEY: "sk-ant-api03-0123456789" }).keys,
      place("anthropic/c", "", { CLAUDE_CODE_OAUTH_TOKEN: token }).keys,
      place("anthropic/c").keys,
    ]).toEqual([["ANTHROPIC_API_KEY"], [], []]);
  }),
  same("Hj4", "your_api_key_here, and 32 hex digits", "no key, a key", () =>
    expect(["your_api_key_here", "0123456789abcdef0123456789abcdef"].map(isUsableSecret)).toEqual([false, true]),
  ),
  same(
    "H172",
    "the login is dead, no chain",
    "an error",
    shownBy("cli/ask.test.ts", "ends with 3 when only a person can help"),
  ),
  same("H174", "401, 403 and 500", "a matter of the login but the last; then the chain", async () => {
    expect([401, 403, 500].map((status) => http(status, {}).reason)).toEqual(["auth", "auth", "server_error"]);
    expect((await playOnce({ pool: [{ name: "unauthorized" }], chain: [well] })).asked).toEqual(["k1", "t2"]);
  }),
  same(
    "H185",
    "an older snapshot of a pool is written",
    "a newer rest on disk survives",
    stores("keeps the later end with the reason that set it, and the higher count"),
  ),
  same(
    "H188",
    "several processes, one single-use token",
    "one refresh",
    keeper("two processes at the moment of expiry cost one refresh, and both get its token"),
  ),
  better("H189", "-pro and -900k in a list of models", "left out, or added", () => {
    const codex = findProvider(builtInProviders, "codex");
    const models = [{ slug: "gpt-5.5-pro" }, { slug: "gpt-5.5" }];
    const listed = codex === null ? null : readModelList(codex, { models });
    expect(listed?.map(({ id }) => id).sort()).toEqual(["gpt-5.5", "gpt-5.5-pro"]);
  }),
  same("H190", "one login is over for good, another is well", "the other", async () => {
    const turns = await play({
      provider: "codex",
      pool: [{ name: "unauthorized" }, well],
      turns: 2,
      before: (stage, turn) => {
        if (turn === 0) stage.simulator.codexIssuer.script("invalid-grant");
      },
    });
    expect(turns.map(({ story }) => story)).toEqual([["k1 auth", "k1 relogin_required", "k2 ok"], ["k2 ok"]]);
  }),

  same("R1", "a refresh that works", "the new pair is stored", keeper("at its end callers wait for the new token")),
  same(
    "R2",
    "the store has a newer pair of the same account",
    "adopted without a POST",
    keeper("after a 401 a generation that somebody else made is adopted without spending"),
  ),
  same(
    "R3",
    "a pair of another account",
    "refused, nothing is changed",
    stores("as a new credential with a label of its own"),
  ),
  same("R4", "a token with time left", "no POST", keeper("a token with time left is used as it is")),
  same(
    "R5",
    "an access token that is over",
    "one POST",
    shownBy("turn/turn.test.ts", "an expired access token is refreshed before the call, once"),
  ),
  same(
    "R6",
    "refresh_token_expired",
    "over for good",
    refreshRow('"refresh_token_expired", "refresh_token_invalidated"'),
  ),
  same(
    "R7",
    "refused for good, asked again",
    "one POST",
    keeper("a verdict is kept: the dead token is never sent again"),
  ),
  same("R8", "then a new login is stored", "adopted", keeper("a new sign-in ends the verdict")),
  same("R9", "500 with temporary-failure", "for now", refreshRow('flat("temporary-failure")')),
  same(
    "R10",
    "401",
    "first what is stored, then a POST",
    keeper("after a 401 a token with time left is refreshed all the same"),
  ),
];

async function proofOf(id: string): Promise<void> {
  const known = poolCases.find((one) => one.id === id);
  if (known === undefined || known.ours.is === "not applicable" || typeof known.ours.proof !== "function")
    throw new Error(`${id} proves nothing`);
  await known.ours.proof();
}
