import { UnderstudyError } from "../core/error.ts";
import type { Json, JsonObject } from "./canonical.ts";

/**
 * Reading JSON that others wrote: every function takes any value and says plainly when what was wanted is not there.
 * None of them throws, but `refuse`.
 */

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The object that `text` holds; null for anything else, also for other valid JSON. */
export function parseObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

export function stringAt(object: JsonObject | undefined, key: string): string | undefined {
  const value = object?.[key];
  return typeof value === "string" ? value : undefined;
}

/** Finite numbers only. */
export function numberAt(object: JsonObject | undefined, key: string): number | undefined {
  const value = object?.[key];
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

export function booleanAt(object: JsonObject | undefined, key: string): boolean | undefined {
  const value = object?.[key];
  return typeof value === "boolean" ? value : undefined;
}

export function objectAt(object: JsonObject | undefined, key: string): JsonObject | undefined {
  const value = object?.[key];
  return isObject(value) ? value : undefined;
}

/** The objects in the list at `key`; what is no object in it is left out. Empty when there is no list. */
export function objectsAt(object: JsonObject | undefined, key: string): JsonObject[] {
  const value = object?.[key];
  return Array.isArray(value) ? value.filter((item): item is JsonObject => isObject(item)) : [];
}

/** The object without the keys whose value is undefined, so that optional fields can be written in one literal. */
export function compact(fields: { [key: string]: Json | undefined }): JsonObject {
  const object: JsonObject = {};
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) object[key] = value;
  return object;
}

/** The field of that name in an object of its own, or an empty object: for optional fields in one literal. */
export function defined<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}

/** Throws `request_refused`: `field` is the path in the caller's body, `wanted` what should have been there. */
export function refuse(field: string, wanted: string): never {
  throw new UnderstudyError("request_refused", `${field}: ${wanted}`, { status: 400 });
}
