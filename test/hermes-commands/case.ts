import type { CliStage } from "../cli/rig.ts";

/** One case of the peer's tests, played as a person or a script would, on scripted providers. */
export interface CommandCase {
  /** The number in the peer's list, as docs/differences-from-hermes.md names it: `H16`. */
  readonly id: string;
  readonly title: string;
  /** What the peer's test asserts. */
  readonly peer: string;
  /** What is done, and what is seen then. */
  readonly play: (stage: CliStage) => Promise<Record<string, unknown>>;
  /** What has to be seen. */
  readonly ours: Record<string, unknown>;
  /** True where that is something else than the peer has, on purpose. */
  readonly differs?: boolean;
}

/** A case that has no counterpart here, or is proven in another place, and why. */
export interface LeftOutCase {
  readonly ids: readonly string[];
  readonly why: string;
}

/** How a command ended, in short. */
export interface Seen {
  readonly code: number | null;
  readonly out: string;
  readonly said: string;
}

export async function run(stage: CliStage, ...args: readonly string[]): Promise<Seen> {
  const { code, stdout, stderr } = await stage.run(args);
  return { code, out: stdout, said: stderr };
}

/** The same with something on standard input. */
export async function feed(stage: CliStage, input: string, ...args: readonly string[]): Promise<Seen> {
  const { code, stdout, stderr } = await stage.run(args, { input });
  return { code, out: stdout, said: stderr };
}
