import { runTurn } from "../../src/turn/run-turn.ts";
import type { TurnRuntime } from "../../src/turn/runtime.ts";
import { askAtRandom, type Ask } from "./ask.ts";
import { increase } from "./figures.ts";
import { TurnWatch } from "./oracles/turn-watch.ts";
import type { SimProcess } from "./sim-process.ts";

const decoder = new TextDecoder();

/** One caller of a process: it asks, takes in the answer, thinks, and asks again. */
export class Lane {
  readonly process: SimProcess;
  readonly runtime: TurnRuntime;
  /** The turn under way; null between two turns. */
  turn: TurnWatch | null = null;
  /** True when it asks no more. */
  isDone = false;
  running: Promise<void> | null = null;

  constructor(process: SimProcess) {
    this.process = process;
    this.runtime = process.runtimeFor(this);
  }

  /** Runs turns until the world has had enough of them. */
  async run(): Promise<void> {
    const { world, clock } = this.process;
    for (;;) {
      await clock.sleep(world.chance.script.span(...world.thinkingMs));
      if (!world.takeTurn()) return;
      await this.ask(askAtRandom(world));
    }
  }

  async ask(ask: Ask): Promise<TurnWatch> {
    const { world } = this.process;
    const turn = new TurnWatch(this, ask);
    this.turn = turn;
    world.trace?.tell(
      this.process,
      `asks ${turn.id} ${ask.route.name} (${ask.dialect}${ask.streams ? ", streamed" : ""})`,
    );
    try {
      await this.#play(turn, ask);
    } catch (error) {
      turn.threw(error);
    }
    this.turn = null;
    increase(world.figures.outcomes, turn.outcome ?? "nothing");
    world.trace?.tell(this.process, `${turn.id} ends: ${turn.outcome}`);
    return turn;
  }

  async #play(turn: TurnWatch, ask: Ask): Promise<void> {
    const { world } = this.process;
    const controller = ask.patienceMs === null ? null : new AbortController();
    const giveUp =
      ask.patienceMs === null
        ? null
        : world.scheduler.after(ask.patienceMs, this.process, () => {
            turn.gaveUp = true;
            controller?.abort(new Error("the caller gave up"));
          });
    const result = await runTurn(this.runtime, ask.request, {
      route: ask.route,
      onEvent: (event) => turn.saw(event),
      ...(controller === null ? {} : { signal: controller.signal }),
    });
    if (!result.ok) {
      giveUp?.cancel();
      turn.failed(result);
      return;
    }
    let text = "";
    let finished = false;
    if (ask.dialect === "canonical") {
      for await (const part of result.answer.parts()) {
        if (part.type === "text-delta") text += part.text;
        if (part.type === "finish") finished = true;
        if (ask.leavesEarly && text !== "") break;
      }
    } else {
      for await (const bytes of result.answer.bytes()) {
        text += decoder.decode(bytes);
        if (ask.leavesEarly) break;
        if (ask.readsSlowlyMs > 0) await this.process.clock.sleep(ask.readsSlowlyMs);
      }
    }
    giveUp?.cancel();
    turn.took(text, finished, await result.done);
  }
}
