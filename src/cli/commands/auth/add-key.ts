import { homedir } from "node:os";
import { basename, resolve } from "node:path";
import { UnderstudyError } from "../../../core/error.ts";
import { isUsableSecret, Secret } from "../../../core/secret.ts";
import type { Credential, KeySource } from "../../../credentials/credential.ts";
import { readKeySource } from "../../../platform/read-key-source.ts";
import { ignoredVariables, refusedKey } from "../../../providers/environment.ts";
import type { Provider } from "../../../providers/provider.ts";
import type { Workspace } from "../../../workspace.ts";
import { looksLikeKey } from "../../find-provider.ts";
import { interruptSignal } from "../../interrupt.ts";
import { colors, say } from "../../output.ts";
import { askChoice, askSecret, canAsk } from "../../prompt.ts";
import { isStdinTerminal, readStdinLine } from "../../read-stdin.ts";
import type { AddOptions } from "./add-options.ts";

/**
 * Adds an API key: stored (from a hidden prompt or standard input) or by reference. A key that can't be one, or that the provider
 * does not want used, is refused with the reason. The same key a second time changes the credential that is there.
 */
export async function addKey(workspace: Workspace, provider: Provider, options: AddOptions): Promise<void> {
  const { signIn } = provider;
  const given = options.apiKeyStdin === true || options.from !== undefined;
  if (signIn.kind === "api_key" && !signIn.required && !given && !(await wantsKey(provider))) {
    say(`${provider.name} asks for no key: name ${provider.id}/MODEL in a route, nothing has to be added.`);
    return;
  }
  if (options.from !== undefined && isInUse(workspace, provider, options.from)) {
    say(`${provider.id} uses ${options.from.replace("env:", "$")} already, as it is: nothing has to be added.`);
    return;
  }
  const source = await readSource(provider, options);
  const key = await readKeySource(source, { env: workspace.env, signal: interruptSignal });
  const refusal = refusedKey(provider, key?.reveal()) ?? refusedVariable(provider, source, workspace);
  if (refusal !== null) throw new UnderstudyError("usage", `${provider.id}: this key is not used: ${refusal}`);
  await saveKey(workspace, provider, source, options.label);
}

/** A server of one's own may have been told to ask for a key. */
async function wantsKey(provider: Provider): Promise<boolean> {
  if (!canAsk()) return false;
  const choices = [
    { value: "no" as const, label: "Leave it without a key" },
    { value: "yes" as const, label: "Add a key", hint: "this server was told to ask for one" },
  ];
  return (await askChoice(`${provider.name} asks for no key by itself`, choices, "")) === "yes";
}

/** True when the environment's own key of this provider is the one that is named. */
function isInUse({ runtime }: Workspace, provider: Provider, from: string): boolean {
  return runtime
    .environmentCredentials(provider.id)
    .some(({ source }) => source.from === "env" && from === `env:${source.name}`);
}

async function readSource(provider: Provider, options: AddOptions): Promise<KeySource> {
  if (options.from !== undefined) {
    if (options.apiKeyStdin === true) throw new UnderstudyError("usage", "say --from or --api-key-stdin, not both");
    return parseSource(options.from);
  }
  const problemWith = (text: string): string | null =>
    isUsableSecret(text) ? refusedKey(provider, text) : describeUnusable(text);
  const text =
    options.apiKeyStdin === true && !isStdinTerminal()
      ? await readStdinLine()
      : await askSecret(`API key of ${provider.name}`, noTerminal(provider), problemWith);
  if (!isUsableSecret(text)) throw new UnderstudyError("usage", `${provider.id}: ${describeUnusable(text)}`);
  return { from: "stored", secret: new Secret(text.trim()) };
}

function noTerminal({ id }: Provider): string {
  return (
    `there is no terminal to ask for the key on. Pipe it in: understudy auth add ${id} --api-key-stdin, ` +
    `or name where it is: understudy auth add ${id} --from env:NAME (or file:PATH, or command:COMMAND)`
  );
}

function describeUnusable(text: string): string {
  const trimmed = text.trim();
  if (trimmed === "") return "no key was given";
  if (/\s/.test(trimmed)) return "that can't be a key: it holds blanks";
  return trimmed.length < 4 ? "that can't be a key: it is too short" : "that is a placeholder, not a key";
}

/** `env:NAME`, `file:PATH` or `command:COMMAND`. A path counts from the current folder and is kept absolute. */
function parseSource(text: string): KeySource {
  const [, from, rest = ""] = /^(env|file|command):(.*)$/s.exec(text) ?? [];
  const place = rest.trim();
  if (from === "env" && /^[A-Za-z_][A-Za-z0-9_]*$/.test(place)) return { from, name: place };
  if (from === "file" && place !== "") {
    return { from, path: resolve(place.startsWith("~/") ? `${homedir()}${place.slice(1)}` : place) };
  }
  if (from === "command" && place !== "") return { from, command: place };
  if (looksLikeKey(text)) {
    throw new UnderstudyError(
      "usage",
      "--from names the place of a key, not the key itself: env:NAME, file:PATH or command:COMMAND",
    );
  }
  throw new UnderstudyError("usage", "--from takes env:NAME, file:PATH or command:COMMAND");
}

function refusedVariable(provider: Provider, source: KeySource, { env }: Workspace): string | null {
  if (source.from !== "env") return null;
  return ignoredVariables([provider], env).find(({ name }) => name === source.name)?.reason ?? null;
}

async function saveKey(workspace: Workspace, provider: Provider, source: KeySource, label?: string): Promise<void> {
  const { store, clock } = workspace;
  const pool = await store.listCredentials(provider.id);
  const same = pool.find((credential) => credential.kind === "api_key" && isSameSource(credential.source, source));
  if (same !== undefined) return updateKey(workspace, same, label);
  const credential = await store.addApiKey({
    provider: provider.id,
    label: label?.trim() ?? freeLabel(source, pool),
    source,
    at: clock.now(),
  });
  const where = source.from === "stored" ? "" : "; the key itself stays where it is and is read at each use";
  say(`Added ${colors.bold(`${provider.id} · ${credential.label}`)}, number ${pool.length + 1} of its pool${where}.`);
}

/** The same key again: whoever adds it wants it used, under the label that is given now. */
async function updateKey({ store }: Workspace, same: Credential, label?: string): Promise<void> {
  const renamed = label !== undefined && label.trim() !== same.label;
  const updated = await store.updateCredential(same.id, {
    paused: false,
    ...(renamed ? { label: label.trim() } : {}),
  });
  const rests = await store.clearCooldowns({ credentialId: same.id });
  const changes = [
    ...(renamed ? [`it is called ${updated?.label ?? label} now`] : []),
    ...(same.paused ? ["it is no longer paused"] : []),
    ...(rests > 0 ? ["its rest is over"] : []),
  ];
  const what = changes.length === 0 ? "nothing was changed" : changes.join(", ");
  say(`${same.provider} has this key already, as ${colors.bold(same.label)}: ${what}.`);
}

function isSameSource(a: KeySource, b: KeySource): boolean {
  if (a.from === "stored" && b.from === "stored") return a.secret.equals(b.secret);
  if (a.from === "env" && b.from === "env") return a.name === b.name;
  if (a.from === "file" && b.from === "file") return a.path === b.path;
  return a.from === "command" && b.from === "command" && a.command === b.command;
}

/** `key-1`, `$NAME`, the name of the file, the first word of the command; with a number if that is taken. */
function freeLabel(source: KeySource, pool: readonly Credential[]): string {
  const taken = new Set(pool.map(({ label }) => label.toLowerCase()));
  const base = labelOf(source);
  for (let n = 1; ; n++) {
    const label = base === "key" ? `key-${n}` : n === 1 ? base : `${base}-${n}`;
    if (!taken.has(label.toLowerCase())) return label;
  }
}

function labelOf(source: KeySource): string {
  switch (source.from) {
    case "stored":
    case "none":
      return "key";
    case "env":
      return `$${source.name}`;
    case "file":
      return harmless(basename(source.path));
    case "command":
      return harmless(basename(source.command.split(/\s/, 1)[0] ?? ""));
  }
}

function harmless(text: string): string {
  return text === "" || text.length > 60 || looksLikeKey(text) ? "key" : text;
}
