import type { Ids } from "../ids.ts";
import type { SimulatedAccount } from "./account.ts";
import type { DeviceCodes } from "./device-codes.ts";
import type { TokenLedger, TokenTimes } from "./token-ledger.ts";

/** Codex's public client id, the only one that is accepted unless the options say otherwise. */
export const codexClientId = "app_EMoamEEZ73f0CkXaXp7hrann";

/** How often each thing was asked for, and what came of it. */
export interface IssuerCounters {
  /** Device codes asked for. */
  usercodes: number;
  /** Polls for a device code. */
  polls: number;
  /** Authorization codes presented. */
  exchanges: number;
  /** Refresh tokens presented. */
  refreshes: number;
  /** Refreshes that made a new pair, whether or not its answer arrived. */
  rotations: number;
  /** Spent refresh tokens presented again: each one is a broken rule R1 or a lost answer. */
  reused: number;
  /** Tokens presented for revocation. */
  revocations: number;
}

/** An authorization code on its way from the sign-in to the token endpoint. */
export interface AuthorizationCode {
  readonly account: SimulatedAccount;
  readonly clientId: string;
  readonly redirectUri: string;
  /** S256. */
  readonly codeChallenge: string;
  used: boolean;
}

/** How the issuer behaves when nothing is scripted. All of it can be changed at any time. */
export interface IssuerSettings {
  /** The client id that is accepted; null accepts any. */
  clientId: string | null;
  /** What happens when a spent refresh token is presented: only that is refused, or its whole login ends with it. */
  onReuse: "refuse" | "revoke-family";
  /** Seconds, for every new token. */
  accessTokenExpiresInS: number;
  refreshTokenExpiresInS: number;
  /** `interval` of the device flow as it goes out. The real one is text. */
  pollInterval: string | number;
  /** Status of a poll while the person has not answered. Both occur. */
  pendingStatus: 403 | 404;
  /** The account that approves every device code by itself; null waits for `approveDevice`. */
  autoApprove: SimulatedAccount | null;
  /** Polls that are still told to wait before `autoApprove` approves. */
  approveAfterPolls: number;
  /** The account that signs in on the authorize page; null for the first one. */
  browserAccount: SimulatedAccount | null;
}

/** What the endpoints share. */
export interface IssuerState {
  readonly settings: IssuerSettings;
  readonly counters: IssuerCounters;
  readonly ledger: TokenLedger;
  readonly deviceCodes: DeviceCodes;
  readonly authorizationCodes: Map<string, AuthorizationCode>;
  readonly accounts: readonly SimulatedAccount[];
  readonly ids: Ids;
  readonly now: () => number;
  readonly origin: () => string;
  readonly times: () => TokenTimes;
  /** Notes a code so that logs show its name. */
  readonly hide: (value: string, name: string) => void;
}
