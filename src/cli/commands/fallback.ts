import type { Command } from "commander";
import { planTargets, type TargetEntry, type TargetPlan } from "../../config/edit.ts";
import { resolveConfig } from "../../config/resolve.ts";
import { UnderstudyError } from "../../core/error.ts";
import { formatTarget, parseTarget, type Route, type Target } from "../../core/target.ts";
import { parseConfig } from "../../config/parse.ts";
import { configError } from "../../config/problem.ts";
import { builtInProviders } from "../../providers/registry.ts";
import { addCommands, type CommandEntry } from "../command-table.ts";
import { editConfig } from "../../platform/edit-config.ts";
import { requireProvider } from "../find-provider.ts";
import { requireWrittenRoute } from "../find-route.ts";
import { findHome, loadResolvedConfig } from "../load-config.ts";
import { alignColumns, dataColors, printJson, printLines, say } from "../output.ts";

const entries: readonly CommandEntry[] = [
  { name: "list", summary: "Show who takes over, in order", load: () => Promise.resolve(listCommand) },
  { name: "add", summary: "Add a target at the end", load: () => Promise.resolve(addCommand) },
  { name: "remove", summary: "Take a target out", load: () => Promise.resolve(removeCommand) },
  { name: "move", summary: "Put a target at another place", load: () => Promise.resolve(moveCommand) },
  { name: "clear", summary: "Take all of them out; the primary stays", load: () => Promise.resolve(clearCommand) },
];

const examples = `
Fallbacks count from 1; the primary, which "understudy model" sets, is none of them. Comments in the configuration stay.

Examples:
  $ understudy fallback list
  $ understudy fallback add anthropic/claude-sonnet-5
  $ understudy fallback add openrouter/z-ai/glm-5 --paid --route coding
  $ understudy fallback move anthropic/claude-sonnet-5 1
  $ understudy fallback remove 2
`;

interface RouteOption {
  readonly route?: string;
}

export async function fallbackCommand(command: Command, argv: readonly string[]): Promise<void> {
  command.addHelpText("after", examples);
  await addCommands(command, entries, argv);
}

function withRoute(command: Command, ...shown: readonly string[]): Command {
  const lines = shown.map((line) => `  $ understudy fallback ${line}\n`).join("");
  return command
    .option("-r, --route <route>", "name of the route; default: the default route")
    .addHelpText("after", `\nExamples:\n${lines}`);
}

function listCommand(command: Command): void {
  withRoute(command, "list", "list --route night --json")
    .option("--json", "as JSON")
    .action(async (options: RouteOption & { json?: boolean }) => {
      const route = requireWrittenRoute(await loadResolvedConfig(findHome()), options.route);
      const [primary, ...fallbacks] = route.targets;
      if (options.json === true) {
        printJson({ route: route.name, strict: route.strict, primary: view(primary), fallbacks: fallbacks.map(view) });
        return;
      }
      const rows = route.targets.map((target, i) => [`  ${i === 0 ? "primary" : String(i)}`, describe(target)]);
      printLines(dataColors.bold(route.name), ...alignColumns(rows));
      if (fallbacks.length === 0) say(`${route.name} has no fallback: understudy fallback add PROVIDER/MODEL adds one`);
      if (route.strict) say(`${route.name} is strict: only its primary is used`);
    });
}

function addCommand(command: Command): void {
  withRoute(command, "add anthropic/claude-sonnet-5", "add openrouter/z-ai/glm-5 --paid --at 1")
    .argument("<target>", "provider/model")
    .option("--at <number>", "its place among the fallbacks; default: the end")
    .option("--paid", "a turn there costs money beyond a plan that is paid for anyway")
    .option("--credential <name>", "label or id of the only login or key that it may use")
    .action(async (text: string, options: RouteOption & { at?: string; paid?: boolean; credential?: string }) => {
      await change(options, (route, config) => {
        const target = requireTarget(text, config.providers);
        const rest = indices(route).slice(1);
        const at = options.at === undefined ? rest.length : readPlace(options.at, rest.length + 1) - 1;
        const { paid, credential } = options;
        const name = formatTarget(target);
        const entry: TargetEntry =
          paid === true || credential !== undefined
            ? { target: name, ...(credential === undefined ? {} : { credential }), ...(paid === true ? { paid } : {}) }
            : name;
        return { plan: [0, ...rest.slice(0, at), entry, ...rest.slice(at)], said: `${name} is fallback ${at + 1} now` };
      });
    });
}

function removeCommand(command: Command): void {
  withRoute(command, "remove 2", "remove anthropic/claude-sonnet-5")
    .argument("<fallback>", "its number, or provider/model")
    .action((which: string, options: RouteOption) =>
      change(options, (route, config) => {
        const i = requireFallback(route, which, config.providers);
        const plan = indices(route).filter((one) => one !== i);
        return { plan, said: `${describe(route.targets[i])} is taken out` };
      }),
    );
}

function moveCommand(command: Command): void {
  withRoute(command, "move 3 1")
    .argument("<fallback>", "its number, or provider/model")
    .argument("<place>", "where to: a number from 1")
    .action((which: string, place: string, options: RouteOption) =>
      change(options, (route, config) => {
        const i = requireFallback(route, which, config.providers);
        const rest = indices(route)
          .slice(1)
          .filter((one) => one !== i);
        const at = readPlace(place, rest.length + 1) - 1;
        const plan = [0, ...rest.slice(0, at), i, ...rest.slice(at)];
        return { plan, said: `${describe(route.targets[i])} is fallback ${at + 1} now` };
      }),
    );
}

function clearCommand(command: Command): void {
  withRoute(command, "clear --route night").action((options: RouteOption) =>
    change(options, (route) => ({ plan: [0], said: `only ${describe(route.targets[0])} is left` })),
  );
}

type Resolved = ReturnType<typeof resolveConfig>;

/** Works out the new order of a route's targets, writes it, and says what was done. */
async function change(
  { route: name }: RouteOption,
  work: (route: Route, config: Resolved) => { readonly plan: TargetPlan; readonly said: string },
): Promise<void> {
  let said = "";
  const home = findHome();
  const rewrite = (text: string, fileName: string): string => {
    const parsed = parseConfig(text, fileName);
    if (!parsed.ok) throw configError(parsed.problems);
    const config = resolveConfig(parsed.config, builtInProviders, process.env);
    const route = requireWrittenRoute(config, name);
    const { plan, said: words } = work(route, config);
    said = `${route.name}: ${words}.`;
    return planTargets(text, fileName, route.name, plan);
  };
  const changed = await editConfig(home, rewrite, "again");
  say(changed ? said : "Nothing had to be changed.");
}

function requireTarget(text: string, providers: Resolved["providers"]): Target {
  const target = parseTarget(text);
  if (target === null)
    throw new UnderstudyError("usage", "a target is written provider/model, for example codex/gpt-5.5");
  return { provider: requireProvider(providers, target.provider).id, model: target.model };
}

/** Where among the targets of the route the fallback stands. Throws `usage` that says what there is. */
function requireFallback(route: Route, which: string, providers: Resolved["providers"]): number {
  const byNumber = /^[1-9]\d{0,3}$/.test(which) ? Number(which) : null;
  const wanted = byNumber === null ? formatTarget(requireTarget(which, providers)) : null;
  const i = byNumber ?? route.targets.findIndex((target) => formatTarget(target) === wanted);
  if (i === 0) {
    throw new UnderstudyError("usage", `${which} is the primary of ${route.name}; understudy model sets another one`);
  }
  if (i > 0 && i < route.targets.length) return i;
  const there = route.targets.slice(1).map((target, n) => `${n + 1} ${formatTarget(target)}`);
  const has = there.length === 0 ? "it has none" : `it has ${there.join(", ")}`;
  throw new UnderstudyError("usage", `${route.name} has no such fallback: ${has}`);
}

function readPlace(text: string, most: number): number {
  const place = Number(text);
  if (/^\d+$/.test(text) && place >= 1 && place <= most) return place;
  throw new UnderstudyError("usage", `the place must be a number from 1 to ${most}`);
}

function indices(route: Route): number[] {
  return route.targets.map((_, i) => i);
}

function view(target: Target | undefined): Record<string, unknown> | null {
  if (target === undefined) return null;
  const { provider, model, credential = null, paid = false } = target;
  return { target: formatTarget(target), provider, model, credential, paid };
}

function describe(target: Target | undefined): string {
  if (target === undefined) return "nobody";
  const notes = [
    ...(target.credential === undefined ? [] : [`only ${target.credential}`]),
    ...(target.paid ? ["paid"] : []),
  ];
  return `${formatTarget(target)}${notes.length === 0 ? "" : ` (${notes.join(", ")})`}`;
}
