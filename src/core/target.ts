/** The wire protocols that an upstream or a caller may speak. */
export const protocolNames = ["responses", "chat-completions", "messages"] as const;
export type ProtocolName = (typeof protocolNames)[number];

/** One provider with one model. */
export interface Target {
  readonly provider: string;
  readonly model: string;
  /** Label or id of the only credential this target may use. */
  readonly credential?: string;
  /** True when a turn here costs money beyond a plan that is paid for anyway, as the person said in the configuration. */
  readonly paid?: boolean;
}

/** An ordered list of targets under a name. The first is the primary, the rest are its fallbacks. */
export interface Route {
  readonly name: string;
  readonly targets: readonly Target[];
  /** True: only the primary is used, whatever happens to it. Its pool is still walked. */
  readonly strict: boolean;
  /** `text`: when an answer of text breaks off after its beginning, another candidate goes on in it. Missing: it ends in an error. */
  readonly continue?: "text";
}

/** `codex/gpt-5.5`. The model may itself contain slashes. */
export function formatTarget(target: Pick<Target, "provider" | "model">): string {
  return `${target.provider}/${target.model}`;
}

/** Reads `provider/model`. Returns null when there is no provider or no model in it. */
export function parseTarget(text: string): Target | null {
  const slash = text.indexOf("/");
  if (slash <= 0 || slash === text.length - 1) return null;
  return { provider: text.slice(0, slash), model: text.slice(slash + 1) };
}
