import type { ChildProcess } from "node:child_process";

/** The tokens of a new login, whose access token is over. */
export interface PeerLogin {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly idToken: string;
  readonly accountId: string;
}

/** Where the scripted sign-in server and its model backend are. */
export interface PeerUrls {
  readonly token: string;
  readonly issuer: string;
  readonly codex: string;
}

/** A program that keeps a ChatGPT login in a folder and refreshes it by itself. */
export interface Peer {
  /** With its version. */
  readonly name: string;
  /** Why it can't be driven here; null when it can. */
  readonly missing: string | null;
  /** Puts the login where the program looks for it, in the form in which it keeps it. */
  readonly signIn: (folder: string, login: PeerLogin, urls: PeerUrls) => Promise<void>;
  /** Starts one process that uses the login once and ends. */
  readonly start: (folder: string, urls: PeerUrls) => ChildProcess;
  /** The refresh token that it keeps now; null when it keeps none. */
  readonly kept: (folder: string) => Promise<string | null>;
}
