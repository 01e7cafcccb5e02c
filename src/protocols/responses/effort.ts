/** Models that know `minimal`. The later ones, and those of Codex, refuse it. */
const knowsMinimal = /(?:^|\/)gpt-5(?:-mini|-nano)?(?:-\d{4}-\d\d-\d\d)?$/i;

/** Grok decides by itself how long it thinks, and refuses to be told, but for these. Source: xAI's guide to reasoning. */
const grok = /(?:^|\/)grok-/i;
const grokTakesEffort = /(?:^|\/)grok-(?:3-mini|4\.20-multi-agent|4\.3)/i;

/** The effort as a model of this protocol takes it; null when it takes none. For a request that was asked in other words. */
export function fitEffort(effort: string, model: string): string | null {
  if (grok.test(model) && !grokTakesEffort.test(model)) return null;
  return effort === "minimal" && !knowsMinimal.test(model) ? "low" : effort;
}
