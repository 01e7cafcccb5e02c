import { type BehaviourName, type Chunk, startSimulator } from "../../src/testing.ts";
import { type Cell, type CellPlan, planCells } from "./cells.ts";
import { MatrixStage } from "./matrix-stage.ts";
import { type CellResult, runCell } from "./run-cell.ts";

export interface MatrixOptions {
  /** Stages that play side by side. Default 4. */
  readonly stages?: number;
  /** How the providers split what they send. Default: event by event. */
  readonly chunk?: Chunk;
  readonly onResult?: (result: CellResult, done: number) => void;
}

/** A stage is replaced after this many cells: its simulator remembers every request. */
const cellsPerStage = 60;

/** The cells there are. */
export async function planMatrix(): Promise<CellPlan> {
  await using simulator = await startSimulator();
  return planCells((subject, name: BehaviourName) => simulator[subject.backend].supports(name));
}

/** Plays cells, several at a time; the results come in the order of the cells. */
export async function runMatrix(cells: readonly Cell[], options: MatrixOptions = {}): Promise<CellResult[]> {
  const results = new Map<Cell, CellResult>();
  const waiting = [...cells];
  const play = async (): Promise<void> => {
    while (waiting.length > 0) {
      await using stage = await MatrixStage.open(options.chunk === undefined ? {} : { chunk: options.chunk });
      for (let played = 0; played < cellsPerStage; played++) {
        const cell = waiting.shift();
        if (cell === undefined) return;
        const result = await runCell(stage, cell);
        results.set(cell, result);
        options.onResult?.(result, results.size);
      }
    }
  };
  await Promise.all(Array.from({ length: options.stages ?? 4 }, play));
  return cells.flatMap((cell) => results.get(cell) ?? []);
}
