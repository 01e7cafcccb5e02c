import { UnderstudyError } from "../core/error.ts";
import type { Credential } from "../credentials/credential.ts";
import { looksLikeKey } from "../providers/label.ts";
import type { Pool } from "./find-provider.ts";

/**
 * The credential that a person means: by its exact id, else by its label if only one has it (case does not matter), else
 * by its place in `understudy auth list`, counted from 1. Throws `credential_unknown` that says what there is.
 */
export function requireCredential(pool: Pool, target: string): Credential {
  const found = findCredential(pool, target);
  if (found !== null) return found;
  const shown = looksLikeKey(target) ? "that" : JSON.stringify(target.slice(0, 100));
  throw new UnderstudyError(
    "credential_unknown",
    `${pool.providerId} has no credential ${shown}: ${whatThereIs(pool)}`,
  );
}

/** The same, or null. Still throws `credential_unknown` for a label that several have. */
export function findCredential({ credentials, providerId }: Pool, target: string): Credential | null {
  const byId = credentials.find(({ id }) => id === target);
  if (byId !== undefined) return byId;
  const wanted = target.trim().normalize("NFC").toLowerCase();
  const byLabel = credentials.filter(({ label }) => label.normalize("NFC").toLowerCase() === wanted);
  if (byLabel.length > 1) {
    const ids = byLabel.map(({ id }) => id).join(" or ");
    throw new UnderstudyError("credential_unknown", `${providerId} has more than one ${target}: say ${ids}`);
  }
  const byIndex = /^[1-9]\d{0,5}$/.test(wanted) ? credentials[Number(wanted) - 1] : undefined;
  return byLabel[0] ?? byIndex ?? null;
}

/** `1 work, 2 home`, for a message. */
export function whatThereIs({ credentials, providerId }: Pool): string {
  if (credentials.length === 0) return `it has none; understudy auth add ${providerId} adds one`;
  return `it has ${credentials.map(({ label }, i) => `${i + 1} ${label}`).join(", ")}`;
}

/**
 * The same, for a command that changes what is stored. Throws `usage` for a key of the environment, which says where it lives.
 */
export function requireStored(pool: Pool, target: string, toDo: string): Credential {
  const credential = requireCredential(pool, target);
  if (credential.kind !== "api_key" || credential.persisted) return credential;
  const { source, provider, label } = credential;
  if (source.from === "env") {
    throw new UnderstudyError(
      "usage",
      `${provider} · ${label} can't be ${toDo}: it is not stored, it lives in the environment variable ${source.name}. ` +
        `Not to use it, take it out of the environment: unset ${source.name}`,
    );
  }
  throw new UnderstudyError("usage", `${provider} asks for no key: there is nothing to be ${toDo}`);
}
