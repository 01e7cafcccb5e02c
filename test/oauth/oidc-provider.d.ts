/** The part of oidc-provider that the tests use; the package brings no types. */
declare module "oidc-provider" {
  import type { IncomingMessage, ServerResponse } from "node:http";

  /** The part of Koa's context that is used. */
  interface GrantContext {
    readonly req: IncomingMessage;
    readonly body: Readonly<Record<string, unknown>>;
    readonly oidc: { readonly params: Readonly<Record<string, unknown>> };
  }

  export class Provider {
    constructor(issuer: string, configuration: Readonly<Record<string, unknown>>);
    callback(): (request: IncomingMessage, response: ServerResponse) => void;
    on(event: "grant.success", listener: (context: GrantContext) => void): this;
    on(event: "grant.error", listener: (context: unknown, error: Error & { error_detail?: string }) => void): this;
  }
}
