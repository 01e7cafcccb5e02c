import type { TurnEvent } from "../core/events.ts";
import { resolveRoute } from "../config/resolve-route.ts";
import { toTurnRequest } from "../turn/turn-input.ts";
import { startTurn } from "../turn/turn.ts";
import { type Act, type ActResult, composeActs, tellStory } from "./acts.ts";
import { type DemoStage, openDemoStage } from "./demo-stage.ts";
import { runSignIn } from "./sign-in-command.ts";
import { createTimeline, type Palette } from "./timeline.ts";

/** How one act went. */
export interface ActReport {
  readonly title: string;
  readonly asTold: boolean;
  /** `label reason` of each failed attempt, then `label ok`. */
  readonly story: readonly string[];
  readonly servedBy: string | null;
  /** Each check by its name. */
  readonly checks: Readonly<Record<string, boolean>>;
  readonly error: string | null;
}

/** What the whole evening cost. */
export interface DemoReport {
  readonly asTold: boolean;
  readonly acts: readonly ActReport[];
  readonly turns: number;
  /** Candidates tried. */
  readonly attempts: number;
  /** Turns that somebody else than the first candidate answered. */
  readonly switches: number;
  /** Refresh tokens that were sent to the issuer. */
  readonly refreshes: number;
  /** Calls to a model that did not answer the turn. */
  readonly wastedCalls: number;
}

/**
 * Plays all acts. Each is a real turn over real sockets; `print` gets the live timeline. Leaves nothing behind, also when `signal` ends
 * it; then it throws the signal's reason.
 */
export async function runDemo(
  print: (line: string) => void,
  palette: Palette,
  signal: AbortSignal,
): Promise<DemoReport> {
  const stage = await openDemoStage();
  try {
    const results: { act: Act; result: ActResult; report: ActReport }[] = [];
    for (const [index, act] of composeActs(signIn).entries()) {
      signal.throwIfAborted();
      print("");
      print(palette.strong(`Act ${index + 1} · ${act.title}`));
      print(`  ${act.plot}`);
      const result = await playAct(stage, act, print, palette, signal);
      signal.throwIfAborted();
      const report = checkAct(stage, act, result);
      if (result.answer !== null) print(`  answer    ${result.answer.text}`);
      if (result.error !== null) print(`  ${palette.bad("error")}     ${result.error}`);
      for (const [name, ok] of Object.entries(report.checks))
        print(`  ${ok ? palette.good("ok") : palette.bad("NOT SO")}  ${name}`);
      results.push({ act, result, report });
    }
    return sumUp(
      stage,
      results.map(({ report }) => report),
      results.flatMap(({ result }) => result.events),
    );
  } finally {
    await stage.close();
  }

  function signIn(on: DemoStage, show: (line: string) => void): Promise<void> {
    return runSignIn(on, show, signal);
  }
}

async function playAct(
  stage: DemoStage,
  act: Act,
  print: (line: string) => void,
  palette: Palette,
  signal: AbortSignal,
): Promise<ActResult> {
  const events: TurnEvent[] = [];
  try {
    await act.prepare(stage, (line) => print(`  ${palette.dim(line)}`));
    print(`  ${palette.dim("you")}       ${act.prompt}`);
    const timeline = createTimeline(print, palette);
    const turn = startTurn(stage.workspace.runtime, toTurnRequest(act.prompt), {
      route: resolveRoute(stage.workspace.config, "coding"),
      signal,
      onEvent(event) {
        events.push(event);
        timeline(event);
      },
    });
    return { events, answer: await turn.answer, error: null };
  } catch (error) {
    return { events, answer: null, error: error instanceof Error ? error.message : String(error) };
  }
}

function checkAct(stage: DemoStage, act: Act, result: ActResult): ActReport {
  const story = tellStory(result.events);
  const checks: Record<string, boolean> = {
    [`the story was: ${act.expected.join(", ")}`]: story.join() === act.expected.join(),
  };
  for (const [name, check] of Object.entries(act.checks)) checks[name] = check(result, stage);
  const { answer } = result;
  return {
    title: act.title,
    asTold: result.error === null && Object.values(checks).every(Boolean),
    story,
    servedBy:
      answer === null
        ? null
        : `${answer.servedBy.provider}/${answer.servedBy.model} · ${answer.servedBy.credential.label}`,
    checks,
    error: result.error,
  };
}

function sumUp({ simulator }: DemoStage, acts: readonly ActReport[], events: readonly TurnEvent[]): DemoReport {
  const count = (type: TurnEvent["type"]): number => events.filter((event) => event.type === type).length;
  const { codex, messages, chat, codexIssuer } = simulator;
  const calls = [codex, messages, chat].flatMap((backend) => backend.requests).length;
  const answered = count("committed");
  return {
    asTold: acts.every((act) => act.asTold),
    acts,
    turns: acts.length,
    attempts: count("attempt-start"),
    switches: acts.filter((act) => act.story.length > 1).length,
    refreshes: codexIssuer.counters.refreshes,
    wastedCalls: calls - answered,
  };
}
