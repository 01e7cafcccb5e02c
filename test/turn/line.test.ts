import { describe, expect, it } from "vitest";
import type { Target } from "../../src/core/target.ts";
import { Secret } from "../../src/core/secret.ts";
import type { ApiKeyCredential } from "../../src/credentials/credential.ts";
import { Line } from "../../src/turn/line.ts";

function key(id: string): ApiKeyCredential {
  return {
    kind: "api_key",
    id,
    provider: "p",
    label: id,
    priority: 0,
    paused: false,
    createdAt: 0,
    uses: 0,
    lastUsedAt: 0,
    persisted: true,
    source: { from: "stored", secret: new Secret("x") },
  };
}
const first: Target = { provider: "p", model: "m1" };
const second: Target = { provider: "q", model: "m2" };

function walk(line: Line, step: (line: Line) => Line): string[] {
  const seen: string[] = [];
  for (let at = line; at.current !== null; at = step(at))
    seen.push(`${at.current.target.model}:${at.current.credential.id}`);
  return seen;
}

describe("the line of a turn", () => {
  const line = new Line([
    { target: first, credentials: [key("a"), key("b"), key("c")] },
    { target: second, credentials: [key("d")] },
  ]);

  it("walks the pool before the chain", () => {
    expect(walk(line, (at) => at.nextCredential())).toEqual(["m1:a", "m1:b", "m1:c", "m2:d"]);
  });

  it("comes back to the credentials of a target it left", () => {
    expect(walk(line, (at) => at.nextTarget())).toEqual(["m1:a", "m2:d", "m1:b", "m1:c"]);
  });

  it("counts who is left", () => {
    expect([line.credentialsLeft, line.othersLeft]).toEqual([2, 1]);
    expect([line.nextTarget().credentialsLeft, line.nextTarget().othersLeft]).toEqual([0, 2]);
  });

  it("skips targets without a usable credential", () => {
    expect(
      new Line([
        { target: first, credentials: [] },
        { target: second, credentials: [key("d")] },
      ]).current?.target,
    ).toBe(second);
  });

  it("is over when nobody is left", () => {
    expect(new Line([]).current).toBeNull();
    expect([new Line([]).credentialsLeft, new Line([]).othersLeft]).toEqual([0, 0]);
  });

  it("filters the others but never the current one", () => {
    expect(
      walk(
        line.filter(({ credential }) => credential.id === "c"),
        (at) => at.nextCredential(),
      ),
    ).toEqual(["m1:a", "m1:c"]);
  });
});
