import type { Clock } from "../core/clock.ts";
import type { UnplannedWait } from "../oauth/exchange.ts";
import { describeTime } from "../turn/advice.ts";
import { say } from "./output.ts";

/** Says that a sign-in waits for its server, why and until when: silence would look like a program that hangs. */
export function tellWait(clock: Clock): (wait: UnplannedWait) => void {
  return ({ why, until }) => {
    const what = why === "rate_limited" ? "limits the tries (429)" : "gives no answer that can be used";
    say(`The sign-in server ${what}; the next try is at ${describeTime(until, clock.now())}. Ctrl-C gives up.`);
  };
}
