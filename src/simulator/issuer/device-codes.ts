import type { Ids } from "../ids.ts";
import type { SimulatedAccount } from "./account.ts";

/** One sign-in by device code, from the code to its exchange. */
export interface DeviceCode {
  readonly deviceAuthId: string;
  readonly userCode: string;
  readonly clientId: string;
  /** Unix ms. */
  readonly createdAt: number;
  polls: number;
  state: "pending" | "approved" | "declined";
  account: SimulatedAccount | null;
  /** The authorization code it has led to. */
  authorizationCode: string | null;
  codeVerifier: string | null;
}

/** The device codes that are waiting for a person, or were answered by one. */
export class DeviceCodes {
  readonly #byUserCode = new Map<string, DeviceCode>();
  readonly #ids: Ids;

  constructor(ids: Ids) {
    this.#ids = ids;
  }

  create(now: number, clientId: string): DeviceCode {
    const letters = this.#ids.next("", 10).toUpperCase();
    const code: DeviceCode = {
      deviceAuthId: this.#ids.next("deviceauth_"),
      userCode: `${letters.slice(0, 4)}-${letters.slice(4, 9)}`,
      clientId,
      createdAt: now,
      polls: 0,
      state: "pending",
      account: null,
      authorizationCode: null,
      codeVerifier: null,
    };
    this.#byUserCode.set(code.userCode, code);
    return code;
  }

  find(userCode: string): DeviceCode | null {
    return this.#byUserCode.get(userCode) ?? null;
  }

  /** User codes still waiting for a person, the oldest first. */
  pending(): string[] {
    return [...this.#byUserCode.values()].filter((code) => code.state === "pending").map((code) => code.userCode);
  }
}
