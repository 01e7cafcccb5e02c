import type { ProvenRow } from "./row.ts";
import { billingRows } from "./rows/billing.ts";
import { contentRows } from "./rows/content.ts";
import { credentialRows } from "./rows/credentials.ts";
import { entitlementRows } from "./rows/entitlement.ts";
import { lastResortRows } from "./rows/last-resort.ts";
import { networkRows } from "./rows/network.ts";
import { quotaRows } from "./rows/quota.ts";
import { rateLimitRows } from "./rows/rate-limit.ts";
import { requestRows } from "./rows/request.ts";
import { serviceRows } from "./rows/service.ts";

/**
 * The failure table. Which row decides is a matter of its rank first (`rankOf` in match.ts) and of its place here second:
 * a refused content rotates nothing, whatever else is said; then what the account may not do; then the unpaid bill, the plan's
 * window and the burst, in this order; then the provider's trouble; the request; the login.
 */
export const failureTable: readonly ProvenRow[] = [
  ...networkRows,
  ...contentRows,
  ...entitlementRows,
  ...billingRows,
  ...quotaRows,
  ...rateLimitRows,
  ...serviceRows,
  ...requestRows,
  ...credentialRows,
  ...lastResortRows,
];
