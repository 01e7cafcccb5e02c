import type { LanguageModelV4CallOptions, SharedV4ProviderOptions } from "@ai-sdk/provider";
import { UnderstudyError } from "../core/error.ts";
import { isObject } from "../protocols/read-json.ts";
import { metadataKey } from "./stamp.ts";
import type { Warnings } from "./warnings.ts";

/** What a call may say under `providerOptions.understudy`. */
export interface UnderstudyCallOptions {
  /** `minimal` · `low` · `medium` · `high` · `xhigh`, or `none`. Wins over the call's own `reasoning`. Default: the model's. */
  readonly reasoningEffort?: string;
  /** False: one tool call per answer at most. Default: the provider's own. */
  readonly parallelToolCalls?: boolean;
  /** True: the provider enforces the schema of a structured output, and refuses one that it can't enforce. Default false. */
  readonly strictJsonSchema?: boolean;
}

const kinds = {
  reasoningEffort: "string",
  parallelToolCalls: "boolean",
  strictJsonSchema: "boolean",
} as const satisfies Record<keyof UnderstudyCallOptions, string>;

/** Throws `usage` that names the option and the value. An unknown option is a warning. */
export function readCallOptions(
  options: SharedV4ProviderOptions | undefined,
  warnings: Warnings,
): UnderstudyCallOptions {
  const given: unknown = options?.[metadataKey] ?? {};
  if (!isObject(given)) throw new UnderstudyError("usage", `providerOptions.${metadataKey}: expected an object`);
  for (const [name, value] of Object.entries(given)) {
    const kind = Object.hasOwn(kinds, name) ? kinds[name as keyof typeof kinds] : undefined;
    if (kind === undefined) {
      warnings.unsupported(`providerOptions.${metadataKey}.${name}`, `options are ${Object.keys(kinds).join(", ")}`);
    } else if (value !== undefined && typeof value !== kind) {
      const shown = JSON.stringify(value).slice(0, 100);
      throw new UnderstudyError("usage", `providerOptions.${metadataKey}.${name}: expected a ${kind}, got ${shown}`);
    }
  }
  return given;
}

/** The effort that the call asks for, if it asks for one. `max` is what only some providers know: it becomes the highest here. */
export function readEffort(
  reasoning: LanguageModelV4CallOptions["reasoning"],
  { reasoningEffort }: UnderstudyCallOptions,
  warnings: Warnings,
): string | undefined {
  if (reasoningEffort !== undefined) return reasoningEffort;
  if (reasoning === undefined || reasoning === "provider-default") return undefined;
  if (reasoning !== "max") return reasoning;
  warnings.compatibility("reasoning max", "sent as xhigh");
  return "xhigh";
}
