import { setFlagsFromString } from "node:v8";

/**
 * What V8 is told, beside its own choice: calls after which a function is compiled well (400) and best (3,000), and how much of what a function
 * calls may become part of it, in bytes of bytecode, each (460) and in all (920).
 */
const settings = [
  "--invocation-count-for-maglev=50",
  "--invocation-count-for-turbofan=300",
  "--max-inlined-bytecode-size=1000",
  "--max-inlined-bytecode-size-cumulative=2500",
];

/**
 * Has V8 compile sooner, and more in one piece, from now on: for one that runs for days and is asked seldom, as a gateway on a laptop is. A turn goes
 * through some two hundred functions, once each; with V8's own settings the first thousands of turns run as slow code. What it saves is in
 * bench/README.md. To be called when the code is loaded: other settings make V8 refuse what was compiled before.
 */
export function optimizeEarly(): void {
  for (const setting of settings) setFlagsFromString(setting);
}
