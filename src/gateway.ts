export { clientKeyFile, readOrCreateClientKey } from "./gateway/client-key.ts";
export { createGateway, type Gateway } from "./gateway/gateway.ts";
export type { GatewayLimits, GatewayOptions } from "./gateway/options.ts";
