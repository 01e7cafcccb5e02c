import type { Command } from "commander";
import { resolveRoute } from "../../config/resolve-route.ts";
import { isUnderstudyError, UnderstudyError } from "../../core/error.ts";
import type { TurnEvent } from "../../core/events.ts";
import { listCandidates } from "../../turn/candidates.ts";
import { toTurnRequest } from "../../turn/turn-input.ts";
import { type Answer, startTurn, type Turn } from "../../turn/turn.ts";
import type { Workspace } from "../../workspace.ts";
import { interruptSignal } from "../interrupt.ts";
import { withWorkspaceForTurns } from "../open-workspace.ts";
import { colors, isoTime, printJson, printText, say } from "../output.ts";
import { isStdinTerminal, readStdin } from "../read-stdin.ts";
import { createTurnNotices } from "../turn-notices.ts";

interface AskOptions {
  readonly route?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

const examples = `
The answer goes to standard output as it comes; who was switched and why goes to standard error, one line each.
Without a prompt, standard input is the prompt; "-" puts standard input in its place.

Examples:
  $ understudy ask "Why is the sky blue?"
  $ understudy ask --route codex/gpt-5.5 "Say hello"
  $ git diff | understudy ask "Review this:" -
  $ understudy ask --json "Say hello" | jq -r .answer

With --json: { answer, reasoning, finishReason, servedBy, attempts, switched, usage, turnId, events, error }
`;

export function askCommand(command: Command): void {
  command
    .argument("[prompt...]", 'the question; "-" for standard input')
    .option("-r, --route <route>", "a route, provider/model, or a model; default: the default route")
    .option("--json", "one JSON object at the end instead of text")
    .option("--verbose", "tell every attempt")
    .addHelpText("after", examples)
    .action(async (words: string[], options: AskOptions) => {
      const prompt = await readPrompt(words);
      await withWorkspaceForTurns((workspace) => ask(workspace, prompt, options));
    });
}

async function readPrompt(words: readonly string[]): Promise<string> {
  if (words.length === 0 && isStdinTerminal()) {
    throw new UnderstudyError("usage", 'ask needs a question: understudy ask "Why is the sky blue?"');
  }
  const input = words.length === 0 || words.includes("-") ? (await readStdin()).trim() : "";
  const prompt = words.length === 0 ? input : joinWords(words, input);
  if (prompt.trim() === "") throw new UnderstudyError("usage", "the question is empty");
  return prompt;
}

/** What came from standard input stands in paragraphs of its own. */
function joinWords(words: readonly string[], input: string): string {
  return words
    .map((word) => (word === "-" ? `\n\n${input}\n\n` : word))
    .join(" ")
    .replaceAll(/ ?\n\n ?/g, "\n\n")
    .trim();
}

async function ask(workspace: Workspace, prompt: string, options: AskOptions): Promise<void> {
  const { runtime, config } = workspace;
  const route = resolveRoute(config, options.route);
  const { blocked } = await listCandidates(runtime, route);
  const tell = createTurnNotices({
    route,
    blocked,
    findProvider: runtime.findProvider,
    verbose: options.verbose === true,
    say: (line) => say(colors.dim(line)),
  });
  const events: TurnEvent[] = [];
  const turn = startTurn(runtime, toTurnRequest(prompt), {
    route,
    signal: interruptSignal,
    onEvent: (event) => events.push(event),
  });
  if (options.json === true) await answerAsJson(turn, events, tell);
  else await answerAsText(turn, tell);
}

async function answerAsText(turn: Turn, tell: (event: TurnEvent) => void): Promise<void> {
  let last = "";
  const endLine = (): void => {
    if (last !== "" && !last.endsWith("\n")) printText("\n");
    last = "";
  };
  for await (const item of turn) {
    if (item.type !== "part") {
      tell(item);
    } else if (item.part.type === "text-delta" && item.part.text !== "") {
      last = item.part.text;
      printText(last);
    }
  }
  endLine();
  tellEnd(await turn.answer);
}

/** An answer may be whole and yet not all that the model had to say. */
function tellEnd({ finishReason, text }: Answer): void {
  if (finishReason === "length") say(colors.dim("the answer ends at the model's own limit of output"));
  if (finishReason === "content-filter")
    say(colors.dim("the answer ends where the provider's content filter stopped it"));
  if (text === "" && finishReason === "stop") say(colors.dim("the answer holds no text"));
}

/** One object whatever happens; the error, if any, is told on standard error as well. */
async function answerAsJson(turn: Turn, events: readonly TurnEvent[], tell: (event: TurnEvent) => void): Promise<void> {
  for await (const item of turn) if (item.type !== "part") tell(item);
  try {
    const { text, reasoning, finishReason, servedBy, attempts, switched, usage, turnId } = await turn.answer;
    const counts = { attempts, switched, usage, turnId };
    printJson({ answer: text, reasoning, finishReason, servedBy, ...counts, events, error: null });
  } catch (error) {
    printJson({
      answer: null,
      reasoning: null,
      finishReason: null,
      servedBy: null,
      attempts: events.filter(({ type }) => type === "attempt-start").length,
      switched: events.some(({ type }) => type === "switched"),
      usage: null,
      turnId: events.find((event) => event.type === "turn-start")?.turnId ?? null,
      events,
      error: toJsonError(error),
    });
    throw error;
  }
}

function toJsonError(error: unknown): Record<string, unknown> {
  if (!isUnderstudyError(error)) return { code: "unexpected", message: "an error of its own", command: null };
  const { command = null, retryAt, status = null, failure, reloginRequired = false } = error.facts;
  return {
    code: error.code,
    message: error.message,
    command,
    retryAt: isoTime(retryAt),
    status,
    reason: failure?.reason ?? null,
    reloginRequired,
  };
}
