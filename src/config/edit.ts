import { type Document, isAlias, isMap, isSeq, parseDocument, type YAMLSeq } from "yaml";
import { UnderstudyError } from "../core/error.ts";
import { parseConfig } from "./parse.ts";
import { configError } from "./problem.ts";
import { oneLine, spliceEntry, spliceList } from "./splice-yaml.ts";

/**
 * Changes of a configuration as text. All that a person wrote beside the change stays as it was, comments and spacing included, where
 * the text is written in one of the usual ways; otherwise it is laid out anew and only the comments stay.
 *
 * Each throws `UnderstudyError`: `config_invalid` when the text, or what would come of it, is not in order; `usage` for what has to
 * be changed by hand.
 */

/** What the first route is called when a person names none. */
export const firstRouteName = "main";

/** A target as a route lists it. */
export type TargetEntry = string | { readonly target: string; readonly credential?: string; readonly paid?: boolean };

/** The targets of a route in their new order: the number (from 0) of one that is there, or a new one. */
export type TargetPlan = readonly (number | TargetEntry)[];

/** Reorders, removes and adds targets of a route that is there. */
export function planTargets(text: string, fileName: string, route: string, plan: TargetPlan): string {
  const document = open(text, fileName);
  const list = findTargets(document, route);
  const now: unknown[] = list.toJSON();
  const wanted = plan.map((part) => (typeof part === "number" ? now[part] : part));
  const spliced = spliceList(
    text,
    list,
    plan.map((part) => (typeof part === "number" ? part : oneLine(part))),
  );
  const path = targetsPath(document, route);
  return settle(text, fileName, document, spliced, path, wanted, () => {
    const items = plan.map((part) => (typeof part === "number" ? list.items[part] : document.createNode(part)));
    list.items = items;
  });
}

/** Adds `key: value` to a section at the top level: a route, a pool, a provider. It must not be there yet. */
export function addEntry(
  text: string,
  fileName: string,
  section: "routes" | "pools" | "providers",
  key: string,
  value: unknown,
): string {
  const document = open(text, fileName);
  if (document.hasIn([section, key])) {
    throw new UnderstudyError("usage", `${fileName} has ${section}.${key} already`);
  }
  const spliced = spliceEntry(text, document, section, oneLine(key), oneLine(value));
  return settle(text, fileName, document, spliced, [section, key], value, () => {
    if (document.contents === null || document.get(section) == null) document.set(section, document.createNode({}));
    document.setIn([section, key], document.createNode(value));
  });
}

/** The targets of a route as they are written. Null when there is no such route. */
export function readTargets(text: string, fileName: string, route: string): readonly TargetEntry[] | null {
  const document = open(text, fileName);
  if (!document.hasIn(["routes", route])) return null;
  return findTargets(document, route).toJSON() as TargetEntry[];
}

function open(text: string, fileName: string): Document.Parsed {
  const parsed = parseConfig(text, fileName);
  if (!parsed.ok) throw configError(parsed.problems);
  return parseDocument(text);
}

function targetsPath(document: Document, route: string): readonly string[] {
  return isMap(document.getIn(["routes", route], true)) ? ["routes", route, "targets"] : ["routes", route];
}

function findTargets(document: Document, route: string): YAMLSeq {
  const node = document.getIn(targetsPath(document, route), true);
  if (isSeq(node)) return node;
  const why = isAlias(node) ? `the route ${route} is written as *${node.source}` : `there is no route ${route}`;
  throw new UnderstudyError("usage", `${why}: change it by hand, with understudy config edit`, {
    command: "understudy config edit",
  });
}

/**
 * The spliced text if it says exactly what it should (`value` at `path`, everything else as before), else the whole document
 * after `change`, written anew.
 */
function settle(
  text: string,
  fileName: string,
  document: Document.Parsed,
  spliced: string | null,
  path: readonly string[],
  value: unknown,
  change: () => void,
): string {
  const expected = parseDocument(text);
  if (expected.contents === null || expected.get(path[0] ?? "") == null) {
    expected.set(path[0] ?? "", expected.createNode({}));
  }
  expected.setIn(path, expected.createNode(value));
  const wanted = JSON.stringify(expected.toJS());
  const isRight = (candidate: string): boolean => {
    const parsed = parseDocument(candidate);
    return parsed.errors.length === 0 && JSON.stringify(parsed.toJS()) === wanted;
  };
  let result = spliced;
  if (result === null || !isRight(result)) {
    change();
    const written = document.toString({ lineWidth: 0, flowCollectionPadding: false });
    result = text.includes("\r\n") ? written.replaceAll(/\r?\n/g, "\r\n") : written;
  }
  const parsed = parseConfig(result, fileName);
  if (!parsed.ok) throw configError(parsed.problems);
  return result;
}
