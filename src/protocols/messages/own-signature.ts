/**
 * What stands where the signature would be on thinking that Anthropic never signed: the reasoning of another provider,
 * shown to a caller who speaks Messages. The caller sends it back on the next turn; by this mark it is known and taken out,
 * and thinking that a copy of the protocol left unsigned is not touched.
 */
export const ownSignature = "understudy";
