import { UnderstudyError } from "../core/error.ts";
import { interruptSignal } from "./interrupt.ts";
import { isTerminal } from "../platform/is-terminal.ts";
import { standardStream } from "./standard-streams.ts";

/** True when a question can be asked: somebody reads standard error and types at standard input. */
export function canAsk(): boolean {
  return isTerminal(0) && isTerminal(2);
}

export interface Choice<T extends string> {
  readonly value: T;
  readonly label: string;
  readonly hint?: string;
}

/**
 * Asks for a secret without showing it. `instead` says what to pass when there is no terminal to ask on: it is the message
 * of the `usage` error that is thrown then. `problemWith` says what is wrong with what was typed. Throws `cancelled`.
 */
export async function askSecret(
  message: string,
  instead: string,
  problemWith: (text: string) => string | null,
): Promise<string> {
  if (!canAsk()) throw new UnderstudyError("usage", instead);
  const { password, isCancel } = await import("@clack/prompts");
  const answer = await password({
    message,
    validate: (text) => problemWith(text ?? "") ?? undefined,
    output: standardStream(2),
    signal: interruptSignal,
  });
  if (isCancel(answer)) throw cancelled();
  return answer;
}

/** Asks which of several things to do; the first is what Enter gives. Throws as `askSecret` does. */
export async function askChoice<T extends string>(
  message: string,
  choices: readonly Choice<T>[],
  instead: string,
): Promise<T> {
  if (!canAsk()) throw new UnderstudyError("usage", instead);
  const { select, isCancel } = await import("@clack/prompts");
  const answer = await select<string>({
    message,
    options: choices.map((choice) => ({ ...choice })),
    output: standardStream(2),
    signal: interruptSignal,
  });
  const chosen = isCancel(answer) ? undefined : choices.find(({ value }) => value === answer);
  if (chosen === undefined) throw cancelled();
  return chosen.value;
}

/**
 * Asks for one of many things: typing narrows the list. `other` makes a choice of what was typed, for a list that need not be
 * complete; `initial` is where it begins. Throws as `askSecret` does.
 */
export async function askSearch(
  message: string,
  choices: readonly Choice<string>[],
  instead: string,
  options: { readonly other?: (typed: string) => Choice<string> | null; readonly initial?: string } = {},
): Promise<string> {
  if (!canAsk()) throw new UnderstudyError("usage", instead);
  const { autocomplete, isCancel } = await import("@clack/prompts");
  const answer = await autocomplete<string>({
    message,
    options() {
      const typed = this.userInput.trim();
      const other = typed === "" || choices.some(({ value }) => value === typed) ? null : options.other?.(typed);
      return [...choices, ...(other == null ? [] : [other])].map((choice) => ({ ...choice }));
    },
    filter: (typed, { value, label = "", hint = "" }) =>
      typed
        .trim()
        .toLowerCase()
        .split(/\s+/)
        .every((word) => `${value} ${label} ${hint}`.toLowerCase().includes(word)),
    maxItems: 12,
    placeholder: "type to search",
    ...(options.initial === undefined ? {} : { initialValue: options.initial }),
    output: standardStream(2),
    signal: interruptSignal,
  });
  if (isCancel(answer)) throw cancelled();
  return answer;
}

function cancelled(): UnderstudyError {
  return new UnderstudyError("cancelled", "cancelled; nothing was changed");
}
