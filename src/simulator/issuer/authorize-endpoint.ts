import { redirectReply, type Reply } from "../reply.ts";
import { flatError } from "./issuer-errors.ts";
import type { IssuerFaultName } from "./issuer-faults.ts";
import type { IssuerState } from "./issuer-state.ts";

/**
 * `GET /oauth/authorize`: the sign-in page of the browser flow with the person left out. It sends the browser straight
 * back with a code for the scripted account. Wants what the real one wants: a known client, S256, a state, and a redirect
 * to this machine at `/auth/callback`.
 */
export function answerAuthorize(state: IssuerState, query: URLSearchParams, fault: IssuerFaultName | null): Reply {
  const { clientId, browserAccount } = state.settings;
  const client = query.get("client_id") ?? "";
  const redirectUri = query.get("redirect_uri") ?? "";
  const challenge = query.get("code_challenge") ?? "";
  const clientState = query.get("state") ?? "";
  if (client === "" || (clientId !== null && client !== clientId)) return refuse("client_id");
  if (!isLoopbackCallback(redirectUri)) return refuse("redirect_uri");
  if (query.get("response_type") !== "code") return refuse("response_type");
  if (query.get("code_challenge_method") !== "S256" || challenge === "") return refuse("code_challenge");
  if (clientState === "") return refuse("state");
  const account = browserAccount ?? state.accounts[0];
  if (account === undefined) return refuse("account: the simulator has none");

  const back = new URL(redirectUri);
  if (fault === "denied") {
    back.searchParams.set("error", "access_denied");
    back.searchParams.set("error_description", "The person declined.");
  } else if (fault !== "no-code") {
    const code = state.ids.next("ac_", 32);
    state.hide(code, `authorization code of ${account.name}`);
    state.authorizationCodes.set(code, {
      account,
      clientId: client,
      redirectUri,
      codeChallenge: challenge,
      used: false,
    });
    back.searchParams.set("code", code);
  }
  back.searchParams.set("state", fault === "wrong-state" ? `${clientState}-of-somebody-else` : clientState);
  return redirectReply(back.href);
}

function isLoopbackCallback(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return (
    url.protocol === "http:" && ["127.0.0.1", "localhost"].includes(url.hostname) && url.pathname === "/auth/callback"
  );
}

function refuse(parameter: string): Reply {
  return flatError(400, "invalid_request", `The authorize request has a bad ${parameter}.`);
}
