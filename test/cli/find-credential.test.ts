import { describe, expect, it } from "vitest";
import { requireCredential } from "../../src/cli/find-credential.ts";
import type { Pool } from "../../src/cli/find-provider.ts";
import { looksLikeKey } from "../../src/providers/label.ts";
import { UnderstudyError } from "../../src/core/error.ts";
import type { ApiKeyCredential } from "../../src/credentials/credential.ts";

const credential = (id: string, label: string): ApiKeyCredential => ({
  kind: "api_key",
  id,
  provider: "openai",
  label,
  priority: 0,
  paused: false,
  createdAt: 0,
  uses: 0,
  lastUsedAt: 0,
  source: { from: "none" },
  persisted: true,
});
const pool: Pool = {
  providerId: "openai",
  provider: null,
  credentials: [
    credential("c-1", "Work"),
    credential("c-2", "1"),
    credential("c-3", "c-1"),
    credential("c-4", "same"),
    credential("c-5", "SAME"),
  ],
};

describe("the credential that a person means", () => {
  it.each([
    ["an id, also where a label is the same", "c-1", "c-1"],
    ["a label, whatever the case", "wORK ", "c-1"],
    ["a label that is a number before the number", "1", "c-2"],
    ["a number", "3", "c-3"],
  ])("is found by %s", (_, target, id) => {
    expect(requireCredential(pool, target).id).toBe(id);
  });

  it.each([
    ["several have the label", "same", /more than one same: say c-4 or c-5/],
    ["there is no such number", "6", /no credential "6": it has 1 Work, 2 1, 3 c-1/],
    ["zero is no number", "0", /no credential "0"/],
    ["nobody has the name", "nobody", /no credential "nobody"/],
    ["it looks like a key, which is not repeated", "sk-proj-0123456789abc", /no credential that:/],
  ])("is not found when %s", (_, target, said) => {
    expect(() => requireCredential(pool, target)).toThrow(UnderstudyError);
    expect(() => requireCredential(pool, target)).toThrow(said);
  });
});

describe("a text that looks like a key", () => {
  it.each([
    "sk-proj-0123456789abc",
    "eyJhbGciOiJub25lIn0.e30.",
    "0123456789abcdef0123456789abcdef",
    "AIzaSyA0123456789",
  ])("is %s", (text) => expect(looksLikeKey(text)).toBe(true));

  it.each(["openai", "alibaba-coding-plan", "ann@example.test", "my work account", "azure-foundry"])(
    "is not %s",
    (text) => expect(looksLikeKey(text)).toBe(false),
  );
});
