import type { SharedV4ProviderMetadata } from "@ai-sdk/provider";
import { formatTarget } from "../core/target.ts";
import { isObject } from "../protocols/read-json.ts";
import type { TurnResult } from "../turn/run-turn.ts";
import { metadataKey } from "./stamp.ts";
import type { Warnings } from "./warnings.ts";

export type CommittedTurn = Extract<TurnResult, { ok: true }>;

/** What every answer says about itself under `providerMetadata.understudy`. */
export interface UnderstudyAnswerMetadata {
  /** `understudy why <turnId>` tells the whole story. */
  readonly turnId: string;
  /** Who answered. `credential` is its label. */
  readonly servedBy: { readonly provider: string; readonly model: string; readonly credential: string };
  /** Candidates tried, the one that answered included. */
  readonly attempts: number;
  /** True when somebody else than the first candidate tried answered. */
  readonly switched: boolean;
}

export function aboutAnswer({ turnId, candidate, attempts, switched }: CommittedTurn): SharedV4ProviderMetadata {
  const { provider, model, credential } = candidate;
  const about = { turnId, servedBy: { provider, model, credential: credential.label }, attempts, switched };
  return { [metadataKey]: about satisfies UnderstudyAnswerMetadata };
}

/** What an answer or a step says about itself; null when it did not come through this package. */
export function readAnswerMetadata(metadata: SharedV4ProviderMetadata | undefined): UnderstudyAnswerMetadata | null {
  const about: unknown = metadata?.[metadataKey];
  // Written above, and handed on by the AI SDK as it is; a stamp of a part, under the same key, has no turn.
  return isObject(about) && typeof about["turnId"] === "string" ? (about as unknown as UnderstudyAnswerMetadata) : null;
}

/**
 * Warns of what could not be carried to who answers. Not of sealed reasoning that stays behind at a switch: that is as it should be,
 * and the AI SDK would print it again at every step from then on. The response headers name it.
 */
export function warnOfDropped({ dropped, candidate }: CommittedTurn, warnings: Warnings): void {
  for (const what of dropped) {
    if (!/^reasoning (of|that)\b/.test(what)) warnings.unsupported(what, `not taken by ${formatTarget(candidate)}`);
  }
}
