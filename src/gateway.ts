export { clientKeyFile, readOrCreateClientKey } from "./gateway/client-key.ts";
export { createGateway, type Gateway } from "./gateway/gateway.ts";
export { openWorkspace, type Workspace, type WorkspaceOptions } from "./workspace.ts";
export type { GatewayLimits, GatewayOptions } from "./gateway/options.ts";
