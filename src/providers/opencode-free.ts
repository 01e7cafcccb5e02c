import type { Provider } from "./provider.ts";

/**
 * The free models of the Zen relay. It takes no key at all: any bearer it does not know is answered with 401. Some of
 * its models answer only OpenCode's own client; we do not pretend to be one.
 */
export const opencodeFree: Provider = {
  id: "opencode-free",
  name: "OpenCode Free",
  aliases: ["free", "opencode_free"],
  signIn: { kind: "api_key", env: [], required: false },
  refusedKeys: [{ prefix: "", reason: "its free models are asked without one, and refuse any that they are given" }],
  protocol: "chat-completions",
  baseUrl: "https://opencode.ai/zen/v1",
  baseUrlEnv: null,
};
