import type { ProtocolName, Route } from "../../src/core/target.ts";
import type { TurnRequest } from "../../src/turn/request.ts";
import type { CallersMistake } from "./wire/model-faults.ts";
import type { World } from "./world.ts";

/** What a caller asks, and how it behaves. */
export interface Ask {
  readonly route: Route;
  readonly dialect: ProtocolName | "canonical";
  readonly streams: boolean;
  /** Wrong in itself: every provider refuses it. */
  readonly mistake: CallersMistake | null;
  readonly request: TurnRequest;
  /** Gives the turn up after this many ms; null never. */
  readonly patienceMs: number | null;
  /** Ends after the first words. */
  readonly leavesEarly: boolean;
  /** Pause after each piece, in ms. */
  readonly readsSlowlyMs: number;
}

const dialects = ["responses", "chat-completions", "messages", "canonical"] as const;

export function askAtRandom(world: World): Ask {
  const { script } = world.chance;
  const isImpatient = script.happens(world.temper.impatience);
  const mistakes: CallersMistake[] = ["context-overflow", "refused-content", "malformed"];
  return {
    ...plainAsk(
      script.pick(world.routes),
      script.pick(dialects),
      script.happens(0.7),
      script.happens(world.temper.mistakes) ? script.pick(mistakes) : null,
    ),
    patienceMs: isImpatient ? script.span(10, 60_000) : null,
    leavesEarly: script.happens(world.temper.impatience / 2),
    readsSlowlyMs: script.happens(0.05) ? script.span(10, 30_000) : 0,
  };
}

/** A caller that waits for its whole answer. */
export function plainAsk(route: Route, dialect: Ask["dialect"], streams: boolean, mistake: Ask["mistake"] = null): Ask {
  const words = mistake === null ? "hello" : `mistake:${mistake}`;
  const request = write(dialect, streams, words);
  return { route, dialect, streams, mistake, request, patienceMs: null, leavesEarly: false, readsSlowlyMs: 0 };
}

function write(dialect: Ask["dialect"], stream: boolean, words: string): TurnRequest {
  switch (dialect) {
    case "canonical": {
      const content = [{ type: "text" as const, text: words }];
      return { dialect, request: { messages: [{ role: "user", content }], stream } };
    }
    case "responses": {
      const input = [{ role: "user", content: [{ type: "input_text", text: words }] }];
      return { dialect, stream, body: JSON.stringify({ model: "any", stream, input }) };
    }
    case "chat-completions": {
      const messages = [{ role: "user", content: words }];
      return { dialect, stream, body: JSON.stringify({ model: "any", stream, messages }) };
    }
    case "messages": {
      const messages = [{ role: "user", content: words }];
      return { dialect, stream, body: JSON.stringify({ model: "any", stream, max_tokens: 100, messages }) };
    }
  }
}
