import * as z from "zod";
import { nextSteps, reasons, scopes } from "../core/failure.ts";
import { strategies } from "../core/select.ts";
import { protocolNames } from "../core/target.ts";
import { phases } from "../failures/evidence.ts";
import { longestOwnPattern } from "../failures/own-pattern.ts";
import { resetReaders } from "../failures/row.ts";

/**
 * The shape of the configuration. Every `error` is what was expected, in words that follow "expected"; every
 * `description` ends up in the JSON Schema. What needs to know the providers is checked in `check.ts`.
 */

const milliseconds = (least: number, most: number, usual: number, description: string) =>
  number(least, most, usual, `a whole number of milliseconds from ${least} to ${most}`, description);

const count = (least: number, most: number, usual: number, description: string) =>
  number(least, most, usual, `a whole number from ${least} to ${most}`, description);

function number(least: number, most: number, usual: number, error: string, description: string) {
  return z.int({ error }).min(least, { error }).max(most, { error }).default(usual).meta({ description });
}

const targetError = 'provider/model, for example "codex/gpt-5.5"';
const targetText = z.string({ error: targetError }).regex(/^[^/\s]+\/\S+$/, { error: targetError });

const targetObject = z.strictObject(
  {
    target: targetText.meta({ description: "provider/model" }),
    credential: z
      .string({ error: "the label or id of a credential" })
      .min(1, { error: "the label or id of a credential" })
      .optional()
      .meta({ description: "Label or id of the only credential this target may use." }),
    paid: z
      .boolean({ error: "true or false" })
      .optional()
      .meta({ description: "True when a turn here costs money beyond a plan that is paid for anyway." }),
  },
  { error: "a map with target, and credential or paid if wanted" },
);

const target = z.union([targetText, targetObject], { error: `${targetError}, or a map with target` });

const targets = z
  .array(target, { error: "a list of targets" })
  .min(1, { error: "at least one target" })
  .meta({ description: "The first is the primary, the rest are its fallbacks, in order." });

const route = z.union(
  [
    targets,
    z.strictObject(
      {
        targets,
        strict: z
          .boolean({ error: "true or false" })
          .optional()
          .meta({ description: "True: only the primary is used, whatever happens to it. Its pool is still walked." }),
        continue: z.enum(["text"], { error: "text" }).optional().meta({
          description:
            "text: when an answer of text breaks off after it began, another candidate goes on in it. Without it, it ends in an error.",
        }),
      },
      { error: "a map with targets, and strict or continue if wanted" },
    ),
  ],
  { error: "a list of targets such as [codex/gpt-5.5], or a map with targets" },
);

const routeName = z.string().regex(/^[^\s\p{Cc}]{1,200}$/u, { error: "a name without blanks, at most 200 characters" });

const pool = z.strictObject(
  {
    strategy: z
      .enum(strategies, { error: `one of ${strategies.join(", ")}` })
      .default("fill_first")
      .meta({ description: "How the pool chooses among its usable credentials." }),
    concurrency: count(
      1,
      10_000,
      16,
      "Turns that one credential carries at once, in each process, before others of its pool go first.",
    ),
  },
  { error: "a map with strategy or concurrency" },
);

/** Ids and aliases stand before the slash of a target. */
const providerNameError = "a name of letters, digits, dots, dashes and underscores";
const providerName = z
  .string({ error: providerNameError })
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, { error: providerNameError });

const variableError = "the name of an environment variable, not the key itself";
const variable = z.string({ error: variableError }).regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: variableError });

const headerNameError = "the name of an HTTP header";
const headerValueError = "one line of text";

const scopeError = "a list of scopes, or several in one text with blanks between them";
const originError = "a list of https origins";
const redirectError = "an address on this machine such as http://127.0.0.1:8765/callback";

const oauth = z.strictObject(
  {
    issuer: z
      .string({ error: "the https URL of a sign-in server" })
      .meta({ description: "The sign-in server, exactly as it spells itself. Its endpoints are found by discovery." }),
    clientId: z
      .string({ error: "the id of a public client" })
      .min(1, { error: "the id of a public client" })
      .meta({ description: "Client id that the server knows. A public client: there is no secret." }),
    scopes: z
      .union([z.array(z.string().regex(/^\S+$/, { error: scopeError })), z.string()], { error: scopeError })
      .default("openid offline_access")
      .meta({ description: "What is asked for. offline_access is what keeps a login alive at most servers." }),
    flow: z.enum(["device", "browser"], { error: "device or browser" }).default("device").meta({
      description: "device: a code that is typed on any machine. browser: this machine's browser comes back.",
    }),
    redirectUri: z
      .string({ error: redirectError })
      .regex(/^http:\/\/(127\.0\.0\.1|localhost)(:[1-9]\d{0,4})?\/[^?#\s]*$/, { error: redirectError })
      .optional()
      .meta({ description: "Where the browser comes back to. Without it: 127.0.0.1, any free port, /callback." }),
    trustedOrigins: z
      .array(z.string({ error: originError }), { error: originError })
      .default([])
      .meta({ description: "Origins besides the issuer's that its endpoints may lie at. Tokens are sent there." }),
  },
  { error: "a map such as { issuer: https://login.example.com, clientId: my-client }" },
);

const provider = z.strictObject(
  {
    name: z
      .string({ error: "a name for people" })
      .min(1, { error: "a name for people" })
      .optional()
      .meta({ description: "For a person." }),
    protocol: z
      .enum(protocolNames, { error: `one of ${protocolNames.join(", ")}` })
      .optional()
      .meta({ description: "What all its models speak. Required for a provider of your own." }),
    baseUrl: z
      .string({ error: "an http(s) URL" })
      .optional()
      .meta({ description: "Where its requests go, with the keys it is given. Required for a provider of your own." }),
    issuer: z
      .string({ error: "an http(s) URL" })
      .optional()
      .meta({ description: "Where sign-ins and refreshes go; codex only." }),
    oauth: oauth.optional().meta({
      description: "Signing in instead of a key, for a provider of your own. RFC 8628 or PKCE, with discovery.",
    }),
    apiKeyEnv: z
      .union([variable, z.array(variable).min(1, { error: variableError })], { error: variableError })
      .optional()
      .meta({ description: "Environment variable that holds the key; of several the first usable one counts." }),
    aliases: z.array(providerName, { error: "a list of names" }).optional().meta({ description: "Further names." }),
    headers: z
      .record(
        z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, { error: headerNameError }),
        z.string({ error: headerValueError }).regex(/^[\t\u0020-\u007E\u0080-\u00FF]*$/, { error: headerValueError }),
        { error: "a map of header names to values" },
      )
      .optional()
      .meta({ description: "Sent with every request to it. Not for keys." }),
    allowInsecure: z
      .boolean({ error: "true or false" })
      .optional()
      .meta({ description: "Accepts plain http to another machine: its keys can then be read on the way." }),
  },
  { error: "a map such as { protocol: chat-completions, baseUrl: https://api.example.com/v1 }" },
);

const dollarsError = "an amount in USD per million tokens, 0 or more";
const dollars = z
  .number({ error: dollarsError })
  .min(0, { error: dollarsError })
  .max(1_000_000, { error: dollarsError });

const price = z.strictObject(
  {
    input: dollars.meta({ description: "USD per million input tokens." }),
    output: dollars.meta({ description: "USD per million output tokens, reasoning included." }),
    cachedInput: dollars.optional().meta({
      description: "USD per million input tokens that came from the prompt cache. Without it: as input.",
    }),
  },
  { error: "a map such as { input: 3, cachedInput: 0.3, output: 15 }" },
);

const journal = z.strictObject(
  {
    maxAgeDays: number(1, 3_650, 30, "a whole number of days from 1 to 3650", "Turns older than this are forgotten."),
    maxTurns: count(1, 1_000_000, 10_000, "Of more turns than this the oldest are forgotten."),
  },
  { error: "a map such as { maxAgeDays: 30, maxTurns: 10000 }" },
);

const limits = z.strictObject(
  {
    maxWaitMs: milliseconds(0, 600_000, 30_000, "How long a turn may wait for the nearest recovery, in ms."),
    firstEventMs: milliseconds(
      10,
      3_600_000,
      120_000,
      "Silence after the request before an attempt is given up, in ms.",
    ),
    idleMs: milliseconds(10, 3_600_000, 300_000, "Silence within a stream before it counts as broken, in ms."),
    refreshTimeoutMs: milliseconds(10, 120_000, 20_000, "How long one token refresh may take, in ms."),
    holdEvents: count(1, 10_000, 64, "Stream events held back at most while nothing in them is for the caller."),
    holdBytes: count(1_024, 16_777_216, 262_144, "Bytes held back at most while nothing in them is for the caller."),
  },
  { error: "a map of limits" },
);

/** One, or a list of several. */
function oneOrMore<T extends z.ZodType>(one: T, error: string, description: string) {
  return z
    .union([one, z.array(one, { error }).min(1, { error })], { error })
    .optional()
    .meta({ description });
}

function names(what: string, description: string) {
  const error = `${what}, or a list of them`;
  return oneOrMore(z.string({ error }).min(1, { error }).max(200, { error }), error, description);
}

function choices<const T extends readonly [string, ...string[]]>(among: T, description: string) {
  const error = `one of ${among.join(", ")}, or a list of them`;
  return oneOrMore(z.enum(among, { error }), error, description);
}

const patternError = "a regular expression as text";
const pattern = z
  .string({ error: patternError })
  .min(1, { error: patternError })
  .max(longestOwnPattern, { error: `a regular expression of at most ${longestOwnPattern} characters` });

const statusError = "an HTTP status from 100 to 599, or 0 for a failure inside an answer with a good status";
const status = z
  .int({ error: statusError })
  .refine((value) => value === 0 || (value >= 100 && value <= 599), { error: statusError });
const statusRange = z.strictObject(
  {
    from: status.meta({ description: "The first of the statuses." }),
    to: status.meta({ description: "The last of them." }),
  },
  { error: "a map with from and to" },
);

const where = z.strictObject(
  {
    provider: names("the id or alias of a provider", "Only failures of this provider, or of these."),
    protocol: choices(protocolNames, "Only failures of what speaks this protocol."),
    phase: choices(
      phases,
      "Only failures at this point. connect: nothing was sent. sent: no answer came. headers: an error status. head: a good status, but a failure before any content. stream: after content. end: the answer ended without saying that it is complete.",
    ),
  },
  { error: "a map with provider, protocol or phase" },
);

const headerMatchError = "true, or a regular expression as text";

const match = z.strictObject(
  {
    status: z
      .union([status, z.array(status, { error: statusError }).min(1, { error: statusError }), statusRange], {
        error: `${statusError}; a list of them; or a map with from and to`,
      })
      .optional()
      .meta({
        description:
          "HTTP status, a list of them, or { from: 500, to: 599 }. 0: the failure came inside an answer with a good status.",
      }),
    code: names(
      "a code",
      "The provider's code for the failure, or its type where it has no code. Case does not matter.",
    ),
    type: names("a type", "The provider's type of the failure. With a code as well: both must fit."),
    param: names("the name of a parameter", "The request parameter that the provider names as the culprit."),
    finishReason: names("a finish reason", "The finish reason or terminal status that ended the answer."),
    event: names("the name of an event", "Name of the stream event that carried the failure."),
    networkCode: names("a network code", "Code of a network fault, for example ECONNREFUSED or CERT_HAS_EXPIRED."),
    header: z
      .record(
        z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, { error: headerNameError }),
        z.union([z.literal(true), pattern], { error: headerMatchError }),
        { error: "a map of header names to regular expressions" },
      )
      .optional()
      .meta({
        description: "Headers of the answer: true if the header must be there, or a regular expression for its value.",
      }),
    message: pattern.optional().meta({
      description:
        "Regular expression that the provider's words must match, whatever the case. Sees their first 1,000 characters. At most 500 characters, with one endless repeat (.*) at most: elsewhere .{0,50}.",
    }),
  },
  { error: "a map with at least one of status, code, type, param, finishReason, event, networkCode, header, message" },
);

const rowNameError = "a name of small letters, digits and dashes, at most 60 characters";

const failureRow = z.strictObject(
  {
    name: z
      .string({ error: rowNameError })
      .regex(/^[a-z0-9][a-z0-9-]{0,59}$/, { error: rowNameError })
      .meta({ description: "Name of the row, shown by `understudy why` and `understudy explain`." }),
    where: where.optional().meta({ description: "Where the row applies. Without it: everywhere." }),
    match: match.meta({ description: "What the failure must be like. Everything that is given must fit." }),
    reason: z
      .enum(reasons, { error: `one of ${reasons.join(", ")}` })
      .meta({ description: "What kind of failure it is. docs/errors.md says what each reason means and does." }),
    scope: z
      .enum(scopes, { error: `one of ${scopes.join(", ")}` })
      .optional()
      .meta({ description: "Whom it counts against. Without it: as the reason says." }),
    next: z
      .enum(nextSteps, { error: `one of ${nextSteps.join(", ")}` })
      .optional()
      .meta({ description: "What is done next. Without it: as the reason says." }),
    retryAt: z
      .array(z.enum(resetReaders, { error: `one of ${resetReaders.join(", ")}` }), {
        error: `a list of ${resetReaders.join(", ")}`,
      })
      .optional()
      .meta({
        description:
          "Where the time from which it may be tried again is looked for, first hit wins. Empty: nowhere. Without it: as the reason says.",
      }),
  },
  { error: "a map such as { name: proxy-quota, match: { status: 418 }, reason: quota }" },
);

export const configSchema = z
  .strictObject(
    {
      routes: z
        .record(routeName, route, { error: "a map of route names to targets" })
        .default({})
        .meta({ description: "Ordered lists of targets under a name." }),
      defaultRoute: z
        .string({ error: "the name of a route, or provider/model" })
        .min(1, { error: "the name of a route, or provider/model" })
        .optional()
        .meta({ description: "Used when a caller names none. Without it: the first route." }),
      pools: z
        .record(z.string(), pool, { error: "a map of providers to pools" })
        .default({})
        .meta({ description: "How the credentials of a provider are chosen." }),
      providers: z
        .record(providerName, provider, { error: "a map of provider ids to settings" })
        .default({})
        .meta({ description: "Changes a provider that is built in, or adds one of your own." }),
      limits: limits.prefault({}).meta({ description: "Times in ms." }),
      prices: z.record(targetText, price, { error: "a map of provider/model to prices" }).default({}).meta({
        description:
          "What models cost, by provider/model, so that the journal can say what a turn did. No price is built in.",
      }),
      journal: journal.prefault({}).meta({
        description: "What is kept of past turns; a change counts from the next start. It holds no content.",
      }),
      failures: z
        .array(failureRow, { error: "a list of rows" })
        .max(200, { error: "at most 200 rows" })
        .default([])
        .meta({
          description:
            "Rows of your own for the failure table (docs/errors.md). They are asked before the built-in ones, in this order; a row that matches nothing but a message is asked after all codes, types and statuses, before the built-in rows that read messages.",
        }),
      store: z
        .string({ error: "the path of the store, or its postgres:// address" })
        .min(1, { error: "the path of the store, or its postgres:// address" })
        .optional()
        .meta({
          description:
            "Where the store is: a path, or a postgres:// address. Without it: understudy.db in the data folder.",
        }),
    },
    { error: "a map with routes, pools, providers, limits, prices, journal, failures, defaultRoute or store" },
  )
  .meta({ title: "Configuration of Understudy" });

/** A configuration with its defaults filled in. */
export type Config = z.output<typeof configSchema>;

/** A configuration as a person writes it. */
export type ConfigInput = z.input<typeof configSchema>;

/** One entry under `providers`. */
export type ProviderConfig = Config["providers"][string];

export type Limits = Config["limits"];

/** One entry under `failures`. */
export type FailureRowConfig = Config["failures"][number];

/** What the journal keeps. */
export type JournalLimits = Config["journal"];

/** The keys that a map at this place may have; for "did you mean". Null where any key may stand. */
export function knownKeys(path: readonly PropertyKey[]): readonly string[] | null {
  const [section] = path;
  if (section === undefined) return Object.keys(configSchema.shape);
  if (section === "limits") return Object.keys(limits.shape);
  if (section === "journal") return Object.keys(journal.shape);
  if (path.length < 2) return null;
  if (section === "failures") return failureKeys(path);
  if (section === "pools") return Object.keys(pool.shape);
  if (section === "prices") return Object.keys(price.shape);
  if (section === "providers") return providerKeys(path);
  return typeof path.at(-1) === "number" ? Object.keys(targetObject.shape) : ["targets", "strict", "continue"];
}

function providerKeys(path: readonly PropertyKey[]): readonly string[] | null {
  if (path.length === 2) return Object.keys(provider.shape);
  return path.length === 3 && path[2] === "oauth" ? Object.keys(oauth.shape) : null;
}

function failureKeys(path: readonly PropertyKey[]): readonly string[] | null {
  if (path.length === 2) return Object.keys(failureRow.shape);
  if (path[2] === "where") return Object.keys(where.shape);
  if (path[2] !== "match") return null;
  return path.length === 3 ? Object.keys(match.shape) : path[3] === "status" ? Object.keys(statusRange.shape) : null;
}

/** JSON Schema (draft 7) of the configuration, for editors. */
export function configJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(configSchema, { io: "input", target: "draft-7" });
}
