import type { LeftOutCase } from "./case.ts";

const range = (from: number, to: number): string[] => Array.from({ length: to - from + 1 }, (_, i) => `H${from + i}`);

/** Cases of the same lists that are not played here. */
export const leftOutCases: readonly LeftOutCase[] = [
  {
    ids: ["H13", "H14", "H146"],
    why: "What a refused refresh means is played row by row in test/oauth/hermes-refresh-rows.test.ts.",
  },
  {
    ids: ["H18", "H76", "H77"],
    why: "It asserts the name or the order of a function inside of the peer, which nobody outside sees.",
  },
  {
    ids: ["H22"],
    why: "The question to use, sign in again, import or cancel is played on a terminal in test/cli/models.test.ts.",
  },
  {
    ids: ["H161"],
    why: "That a configuration which can't be written stays as it was is in test/cli/fallback.test.ts and import.test.ts.",
  },
  {
    ids: ["H40", "H41", "H70", "H72", "H157"],
    why: "Nous, Qwen, MiniMax and xAI logins are left out here, with the reason; a standard one is a provider of the configuration.",
  },
  {
    ids: ["H57", "H58", "H60", "H64", "H68", "H69", "H73", "H74", "H78"],
    why: "Nothing is seeded from files of other tools, so there is nothing that a removal would have to keep from coming back.",
  },
  {
    ids: ["H137", "H138", "H144", "H149", ...range(164, 170)],
    why: "It concerns the pool and its two stores; here there is one store, with test/contract/store.ts.",
  },
  {
    ids: ["H152", "H153", "H154", "H156"],
    why: "A variant of H150: what the peer does when the other tool's tokens are absent or half. Here they are never looked at.",
  },
  {
    ids: ["H184", "H185", "H186", "H188", "H189", "H190"],
    why: "It concerns locks, profiles and model variants of the peer's own files.",
  },
  {
    ids: ["H172", "H173", "H174"],
    why: "The chain of a gateway's session: which failures move a turn on is in test/core/decide.test.ts and test/turn.",
  },
];
