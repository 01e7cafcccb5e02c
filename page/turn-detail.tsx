import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { TurnDetail } from "../src/gateway/page/view.ts";
import { fetchTurn } from "./api.ts";
import { Command } from "./command.tsx";
import { Modal } from "./modal.tsx";
import { Path } from "./turn-line.tsx";
import { toHops, turns, turnsVersion } from "./turn-list.ts";

const openId = signal<string | null>(null);
const detail = signal<TurnDetail | null>(null);
const problem = signal<string | null>(null);

/** Shows a turn with its whole reasoning. */
export function openTurn(id: string): void {
  detail.value = null;
  problem.value = null;
  openId.value = id;
}

export function TurnDialog() {
  const id = openId.value;
  if (id === null) return null;
  return (
    <Modal
      label="Why this turn went as it did"
      onClose={() => {
        openId.value = null;
      }}
    >
      <Detail id={id} />
    </Modal>
  );
}

function Detail({ id }: { id: string }) {
  // A turn under way is read again with each attempt.
  const row = turnsVersion.value < 0 ? undefined : turns.find((one) => one.id === id);
  const progress = `${row?.steps.length ?? 0} ${row?.outcome ?? ""}`;
  useEffect(() => {
    fetchTurn(id).then(
      (fetched) => {
        detail.value = fetched;
      },
      (error: unknown) => {
        problem.value = error instanceof Error ? error.message : String(error);
      },
    );
  }, [id, progress]);
  const shown = detail.value;
  return (
    <>
      <h2>Why</h2>
      {problem.value !== null && shown === null && <p class="bad">{problem.value}</p>}
      {shown === null && problem.value === null && <p class="muted">Reading the journal…</p>}
      {shown !== null && (
        <>
          <p class="why-path">
            <Path hops={toHops(shown.row.steps)} outcome={shown.row.outcome} />
          </p>
          <div class="why">
            {shown.lines.map(({ depth, parts, command }, i) => (
              <p key={i} class={`why-${depth}`}>
                {parts.map(({ text, tone }, n) => (
                  <span key={n} class={tone === undefined ? "" : `tone-${tone}`}>
                    {text}
                  </span>
                ))}
                {command !== undefined && <Command text={command} />}
              </p>
            ))}
          </div>
          <p class="muted small">
            The same on the command line: <Command text={`understudy why ${id}`} />
          </p>
        </>
      )}
    </>
  );
}
