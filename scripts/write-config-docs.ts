/**
 * Writes config.schema.json (for editors; published with the package) and docs/configuration.md from the schema of the configuration.
 * `node scripts/write-config-docs.ts` writes both; a test compares them with what is rendered here.
 */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { configJsonSchema } from "../src/config/schema.ts";

const root = resolve(import.meta.dirname, "..");

export const configSchemaPath: string = resolve(root, "config.schema.json");
export const configDocPath: string = resolve(root, "docs/configuration.md");

/** As much of JSON Schema as the configuration's uses. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

/** How the entries of a map or a list are called in a path. */
const entryNames: Readonly<Record<string, string>> = {
  routes: "<route>",
  pools: "<provider>",
  providers: "<id>",
  prices: "<provider/model>",
  headers: "<name>",
};

const examples: Readonly<Record<string, string>> = {
  routes: `routes:
  coding: [codex/gpt-5.5, anthropic/claude-sonnet-5]
  night:
    strict: true                                   # only the first target; its pool is still walked
    targets:
      - { target: openai/gpt-5.5, credential: team, paid: true }`,
  defaultRoute: "defaultRoute: codex/gpt-5.5",
  pools: `pools:
  codex: { strategy: round_robin }`,
  providers: `providers:
  local: { protocol: chat-completions, baseUrl: http://127.0.0.1:8000/v1, apiKeyEnv: LOCAL_KEY }
  anthropic: { headers: { anthropic-beta: some-feature } }
  company:
    protocol: responses
    baseUrl: https://models.example.com/v1
    oauth: { issuer: https://login.example.com, clientId: understudy }`,
  limits: `limits: { maxWaitMs: 0, firstEventMs: 60000 }      # nobody waits for a recovery`,
  prices: `prices:                                            # USD per million tokens, as your contract says
  anthropic/claude-sonnet-5: { input: 3, cachedInput: 0.3, output: 15 }`,
  journal: "journal: { maxAgeDays: 90, maxTurns: 100000 }",
  failures: `failures:
  - name: proxy-is-busy
    where: { provider: openrouter }
    match: { status: 418 }
    reason: overloaded`,
  store: "store: postgres://understudy@db.example:5432/understudy",
};

/** The JSON Schema, as it is published. */
export function renderConfigSchema(): string {
  return `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
}

/** The whole page. */
export function renderConfigDoc(): string {
  const { properties = {} } = configJsonSchema() as Schema;
  return `${[introduction, ...Object.entries(properties).map(([name, schema]) => section(name, schema)), ending].join("\n\n")}\n`;
}

const introduction = `# Configuration

<!-- Written by scripts/write-config-docs.ts from src/config/schema.ts. Change the schema there, then run the script. -->

One file, \`config.yaml\` (YAML 1.2, so JSON does as well): \`understudy config path\` says where, \`understudy config edit\` opens it checked,
\`understudy config check\` names line, key and value of whatever is wrong. Nothing in it is required. A running gateway takes a change at once, but for
\`store\` and \`journal\`. Secrets do not belong here: keys and logins are in the store (\`understudy auth add PROVIDER\`) or in the environment.

Editors that read the first line below (the YAML extension of VS Code, for example) check and complete it; the command line writes that line and
the schema beside a configuration that it makes. The schema is also in the package, as \`understudy/config.schema.json\`.

\`\`\`yaml
# yaml-language-server: $schema=config.schema.json
routes:
  coding: [codex/gpt-5.5, anthropic/claude-sonnet-5]
\`\`\``;

const ending = `## Environment

| variable | what for |
|---|---|
| \`UNDERSTUDY_HOME\` | one folder for everything: \`config.yaml\`, the store, its key |
| \`UNDERSTUDY_KEY\`, \`UNDERSTUDY_KEY_COMMAND\` | the key that seals the store (required for PostgreSQL), or a command that prints it |
| \`UNDERSTUDY_KEYCHAIN\` | \`off\` keeps the key of a new store out of the system's keychain |
| \`UNDERSTUDY_NEW_KEY\` | the next key, while \`understudy store rekey\` is under way |
| \`OPENAI_API_KEY\`, \`ANTHROPIC_API_KEY\`, … | keys that are used as they are and never stored; \`understudy models\` lists the providers |
| \`OPENAI_BASE_URL\`, … | another base URL for a provider; the configuration comes first |
| \`OTEL_EXPORTER_OTLP_ENDPOINT\` | where \`understudy serve\` sends traces ([Observing](guides/observing.md)) |
| \`NO_COLOR\` | no colours |`;

function section(name: string, schema: Schema): string {
  const rows = rowsOf(name, schema);
  const example = examples[name];
  return [
    `## \`${name}\``,
    "",
    schema.description ?? "",
    ...(example === undefined ? [] : ["", "```yaml", example, "```"]),
    ...(rows.length === 0 ? [] : ["", "| key | value | default | what for |", "|---|---|---|---|", ...rows]),
  ].join("\n");
}

/** One row per key below this one. What several alternatives share is listed once. */
function rowsOf(path: string, schema: Schema, seen = new Set<string>()): string[] {
  const rows: string[] = [];
  const { properties = {}, required = [], additionalProperties, items, anyOf = [] } = schema;
  for (const [key, child] of Object.entries(properties)) {
    const at = `${path}.${key}`;
    if (seen.has(at)) continue;
    seen.add(at);
    const usual = required.includes(key) ? "required" : child.default === undefined ? "–" : code(child.default);
    // A map whose every key has a row of its own needs no value in words.
    rows.push(`| \`${at}\` | ${valueOf(child)} | ${isMap(child) ? "–" : usual} | ${child.description ?? ""} |`);
    rows.push(...rowsOf(at, child, seen));
  }
  if (typeof additionalProperties === "object") {
    const name = entryNames[path.split(".").at(-1) ?? ""] ?? "<name>";
    rows.push(...rowsOf(`${path}.${name}`, additionalProperties, seen));
  }
  if (items !== undefined) rows.push(...rowsOf(`${path}[]`, items, seen));
  for (const one of anyOf) rows.push(...rowsOf(path, one, seen));
  return rows;
}

function isMap({ properties }: Schema): boolean {
  return properties !== undefined;
}

function valueOf(schema: Schema): string {
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(valueOf))].join(" or ");
  if (schema.enum !== undefined) return schema.enum.map(code).join(", ");
  if (schema.const !== undefined) return code(schema.const);
  switch (schema.type) {
    case "integer":
      return `whole number${range(schema)}`;
    case "number":
      return `number${range(schema)}`;
    case "boolean":
      return "`true`, `false`";
    case "array":
      return schema.items === undefined ? "list" : `list of ${valueOf(schema.items)}`;
    case "object":
      return "map";
    default:
      return "text";
  }
}

function range({ minimum, maximum }: Schema): string {
  const bounds = [minimum, maximum].map((bound) =>
    bound === undefined || Math.abs(bound) === Number.MAX_SAFE_INTEGER ? null : bound.toLocaleString("en"),
  );
  if (bounds[0] === null && bounds[1] === null) return "";
  return bounds[1] === null ? ` from ${bounds[0]}` : `, ${bounds[0] ?? "…"} to ${bounds[1]}`;
}

function code(value: unknown): string {
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  writeFileSync(configSchemaPath, renderConfigSchema());
  writeFileSync(configDocPath, renderConfigDoc());
}
