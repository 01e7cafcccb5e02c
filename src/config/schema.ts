import * as z from "zod";
import { strategies } from "../core/select.ts";
import { protocolNames } from "../core/target.ts";

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
      },
      { error: "a map with targets, and strict if wanted" },
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
  },
  { error: "a map with strategy" },
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
      store: z
        .string({ error: "the path of the store, or its postgres:// address" })
        .min(1, { error: "the path of the store, or its postgres:// address" })
        .optional()
        .meta({
          description:
            "Where the store is: a path, or a postgres:// address. Without it: understudy.db in the data folder.",
        }),
    },
    { error: "a map with routes, pools, providers, limits, defaultRoute or store" },
  )
  .meta({ title: "Configuration of Understudy" });

/** A configuration with its defaults filled in. */
export type Config = z.output<typeof configSchema>;

/** A configuration as a person writes it. */
export type ConfigInput = z.input<typeof configSchema>;

/** One entry under `providers`. */
export type ProviderConfig = Config["providers"][string];

export type Limits = Config["limits"];

/** The keys that a map at this place may have; for "did you mean". Null where any key may stand. */
export function knownKeys(path: readonly PropertyKey[]): readonly string[] | null {
  const [section] = path;
  if (section === undefined) return Object.keys(configSchema.shape);
  if (section === "limits") return Object.keys(limits.shape);
  if (path.length < 2) return null;
  if (section === "pools") return Object.keys(pool.shape);
  if (section === "providers") return providerKeys(path);
  return typeof path.at(-1) === "number" ? Object.keys(targetObject.shape) : ["targets", "strict"];
}

function providerKeys(path: readonly PropertyKey[]): readonly string[] | null {
  if (path.length === 2) return Object.keys(provider.shape);
  return path.length === 3 && path[2] === "oauth" ? Object.keys(oauth.shape) : null;
}

/** JSON Schema (draft 7) of the configuration, for editors. */
export function configJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(configSchema, { io: "input", target: "draft-7" });
}
