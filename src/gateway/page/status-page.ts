import type { IncomingMessage, ServerResponse } from "node:http";
import type { TurnEvent } from "../../core/events.ts";
import type { Workspace } from "../../workspace.ts";
import { createKeyCheck } from "../client-key.ts";
import { writeRefusal } from "../refusal.ts";
import type { AdminContext } from "./admin-api.ts";
import { checkAdmin } from "./admin-guard.ts";
import { answerAsset, answerNotBuilt } from "./answer-asset.ts";
import { type Asset, readAssets } from "./assets.ts";
import { LiveFeed } from "./live-feed.ts";
import type { RunningTurn } from "./running-turns.ts";
import { SignIns } from "./sign-ins.ts";

/** The status page of one gateway: its files, which anybody may load, and its data, for which one needs the admin key. */
export interface StatusPage {
  /** True for requests that are the page's: its files for a browser, and all below `/admin/`. */
  claims(request: IncomingMessage, path: string): boolean;
  /** Answers a request that it claims, whose Host, Origin and query were checked. */
  answer(request: IncomingMessage, response: ServerResponse, path: string): Promise<void>;
  /** Told of every event of every turn, each with what this notes of that turn. Must not throw. */
  observe(noted: RunningTurn, event: TurnEvent): void;
  /** Told that a turn broke without an end of its own. */
  leave(noted: RunningTurn): void;
  close(): void;
}

export interface StatusPageOptions {
  readonly workspace: Workspace;
  /** What the page asks a person for. At least 16 characters. */
  readonly adminKey: string;
  readonly onNotice: (line: string) => void;
}

/** Opens the page. Nothing is read and nothing runs until somebody looks at it. */
export function createStatusPage({ workspace, adminKey, onNotice }: StatusPageOptions): StatusPage {
  const hasAdminKey = createKeyCheck(adminKey);
  const feed = new LiveFeed(workspace);
  const signIns = new SignIns(workspace);
  const context: AdminContext = { workspace, feed, signIns, onNotice };
  let assets: ReadonlyMap<string, Asset> | null = null;

  return {
    claims({ method, headers }, path) {
      if (path.startsWith("/admin/")) return true;
      if (method !== "GET") return false;
      return path === "/" ? /\btext\/html\b/.test(headers.accept ?? "") : path.startsWith("/assets/");
    },
    async answer(request, response, path) {
      if (path.startsWith("/admin/")) {
        const refusal = checkAdmin(request, hasAdminKey);
        if (refusal !== null) return writeRefusal(response, "chat-completions", refusal);
        // What it checks and edits with is loaded when somebody first looks: it is a tenth of what a gateway holds at rest.
        const { answerAdmin } = await import("./admin-api.ts");
        return answerAdmin(context, request, response, path);
      }
      // One that was built meanwhile is found.
      assets ??= readAssets();
      const asset = assets?.get(path);
      if (asset !== undefined) return answerAsset(request, response, asset);
      if (assets === null) return answerNotBuilt(response);
      const message = "the status page has no such file";
      writeRefusal(response, "chat-completions", { status: 404, code: "not_found", message });
    },
    observe: (noted, event) => feed.observe(noted, event),
    leave: (noted) => feed.leave(noted),
    close() {
      feed.close();
      signIns.close();
    },
  };
}
