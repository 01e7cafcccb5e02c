import { homedir } from "node:os";
import { basename, resolve } from "node:path";
import { UnderstudyError } from "../../../core/error.ts";
import { isUsableSecret, Secret } from "../../../core/secret.ts";
import type { KeySource } from "../../../credentials/credential.ts";
import { readKeySource } from "../../../platform/read-key-source.ts";
import { ignoredVariables, refusedKey } from "../../../providers/environment.ts";
import { looksLikeKey } from "../../../providers/label.ts";
import type { Provider } from "../../../providers/provider.ts";
import { storeKey, whyNoKey } from "../../../providers/store-key.ts";
import type { Workspace } from "../../../workspace.ts";
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
  const takesNone = refusedKey(provider, "") !== null;
  if (takesNone || !canAsk()) return false;
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
  const problemWith = (text: string): string | null => whyNoKey(provider, text);
  const text =
    options.apiKeyStdin === true && !isStdinTerminal()
      ? await readStdinLine()
      : await askSecret(`API key of ${provider.name}`, noTerminal(provider), problemWith);
  if (!isUsableSecret(text)) throw new UnderstudyError("usage", `${provider.id}: ${whyNoKey(provider, text)}`);
  return { from: "stored", secret: new Secret(text.trim()) };
}

function noTerminal({ id }: Provider): string {
  return (
    `there is no terminal to ask for the key on. Pipe it in: understudy auth add ${id} --api-key-stdin, ` +
    `or name where it is: understudy auth add ${id} --from env:NAME (or file:PATH, or command:COMMAND)`
  );
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
  const name = nameOf(source);
  const stored = await storeKey({ store, clock, provider, source, name, ...(label === undefined ? {} : { label }) });
  if (stored.isNew) {
    const where = source.from === "stored" ? "" : "; the key itself stays where it is and is read at each use";
    const { label: given } = stored.credential;
    say(`Added ${colors.bold(`${provider.id} · ${given}`)}, number ${stored.place} of its pool${where}.`);
    const { signIn } = provider;
    if (signIn.kind === "api_key" && !signIn.required && stored.place === 1) {
      say("From now on it is always asked with a key, also while this one rests or is paused.");
    }
    return;
  }
  const { before, renamedTo, resumed, rests } = stored;
  const changes = [
    ...(renamedTo === null ? [] : [`it is called ${renamedTo} now`]),
    ...(resumed ? ["it is no longer paused"] : []),
    ...(rests > 0 ? ["its rest is over"] : []),
  ];
  const what = changes.length === 0 ? "nothing was changed" : changes.join(", ");
  say(`${provider.id} has this key already, as ${colors.bold(before.label)}: ${what}.`);
}

/** What a key is called that nobody names: the variable, the name of the file, the first word of the command. */
function nameOf(source: KeySource): string {
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
