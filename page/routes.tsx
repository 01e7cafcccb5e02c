import type { PoolView, RouteView, TargetView } from "../src/gateway/page/view.ts";
import { Command } from "./command.tsx";
import { FirstRoute } from "./first-route.tsx";
import { createReorder } from "./reorder.ts";
import { useLayoutEffect, useMemo } from "preact/hooks";
import { now } from "./clock.ts";
import { formatDuration } from "./format.ts";

/** The routes: who serves each now, and in which order the others stand in. */
export function Routes({ routes, pools }: { routes: readonly RouteView[]; pools: readonly PoolView[] }) {
  return (
    <section aria-labelledby="routes">
      <div class="heading">
        <h2 id="routes">Routes</h2>
        {routes.some(({ targets }) => targets.length > 1) && (
          <span class="muted" id="how-to-order">
            drag to reorder, or arrow keys on a handle
          </span>
        )}
      </div>
      {routes.length === 0 && <FirstRoute pools={pools} />}
      {routes.map((route) => (
        <Route key={route.name} route={route} />
      ))}
    </section>
  );
}

function Route({ route }: { route: RouteView }) {
  const reorder = useMemo(() => createReorder(route.name), [route.name]);
  const order = reorder.order.value ?? route.targets.map((_, i) => i);
  reorder.saw(route.targets);
  useLayoutEffect(() => reorder.keepFocus());
  return (
    <div class="panel">
      <div class="pool-heading">
        <h3>{route.name}</h3>
        <span class="muted">
          {[...(route.isDefault ? ["default"] : []), ...(route.strict ? ["strict"] : [])].join(" · ")}
        </span>
        {route.serving === null && (
          <span class="badge badge-bad">
            {route.recoversAt === null
              ? "nobody can serve"
              : `dark for ${formatDuration(route.recoversAt - now.value)}`}
          </span>
        )}
      </div>
      <ol class={`targets ${reorder.dragged.value === null ? "" : "targets-moving"}`} ref={reorder.list}>
        {order.map((place, i) => {
          const target = route.targets[place];
          if (target === undefined) return null;
          return (
            <li
              key={nameOf(route.targets, place)}
              class={`target target-${target.state} ${reorder.dragged.value === place ? "target-dragged" : ""}`}
            >
              {route.targets.length > 1 && (
                <button
                  type="button"
                  class="handle"
                  aria-label={`Move ${target.target}, ${i + 1} of ${order.length} in ${route.name}`}
                  aria-describedby="how-to-order"
                  data-target={nameOf(route.targets, place)}
                  onPointerDown={(event) => reorder.grab(event, place)}
                  onKeyDown={(event) => reorder.key(event, place)}
                />
              )}
              <Target target={target} label={target.state === "serving" ? (route.serving?.label ?? null) : null} />
            </li>
          );
        })}
      </ol>
      <p class="unseen" role="status">
        {reorder.said.value}
      </p>
      {reorder.problem.value !== null && (
        <p class="bad" role="alert">
          {reorder.problem.value}
        </p>
      )}
    </div>
  );
}

/** A name that a target keeps wherever it is put. One that stands there twice has the number of its like before it. */
function nameOf(targets: readonly TargetView[], place: number): string {
  const { target = "", credential = "" } = targets[place] ?? {};
  const before = targets.slice(0, place).filter((one) => one.target === target && one.credential === credential);
  return `${target} ${credential ?? ""} ${before.length}`;
}

function Target({
  target: { command, credential, paid, state, target, words },
  label,
}: {
  target: TargetView;
  label: string | null;
}) {
  const notes = [...(credential === null ? [] : [`only ${credential}`]), ...(paid ? ["paid"] : [])];
  return (
    <div class="target-body">
      <div class="target-top">
        <span class="dot" />
        <strong class="model">{target}</strong>
        {notes.length > 0 && <span class="muted">{notes.join(" · ")}</span>}
        {state === "serving" && <span class="badge badge-good">{label === null ? "now" : `now: ${label}`}</span>}
      </div>
      {words !== "ready" && <p class="words">{words}</p>}
      {command !== null && <Command text={command} />}
    </div>
  );
}
