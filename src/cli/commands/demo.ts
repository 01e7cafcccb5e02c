import type { Command } from "commander";
import { formatReport } from "../../demo/print-report.ts";
import { runDemo } from "../../demo/run-demo.ts";
import type { Palette } from "../../demo/timeline.ts";
import { exitCodes } from "../exit-codes.ts";
import { interruptSignal } from "../interrupt.ts";
import { dataColors, printJson, printLines } from "../output.ts";

const examples = `
Examples:
  $ understudy demo            the story, as it happens
  $ understudy demo --json     the same as data
`;

export function demoCommand(command: Command): void {
  command
    .option("--json", "print the outcome as JSON and no timeline")
    .addHelpText("after", examples)
    .action(async ({ json }: { json?: boolean }) => {
      const palette: Palette = {
        dim: dataColors.dim,
        bad: dataColors.red,
        good: dataColors.green,
        strong: dataColors.bold,
      };
      const report = await runDemo(json === true ? () => {} : printLines, palette, interruptSignal);
      if (json === true) printJson(report);
      else printLines(...formatReport(report, palette));
      process.exitCode = report.asTold ? exitCodes.done : exitCodes.failed;
    });
}
