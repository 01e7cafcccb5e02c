import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";

/** A command with a button that copies it. Where the browser lends no clipboard, the text is selected instead. */
export function Command({ text, isLarge = false }: { text: string; isLarge?: boolean }) {
  const code = useRef<HTMLElement>(null);
  const done = useSignal("");
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      done.value = "Copied";
    } catch {
      if (code.current !== null) getSelection()?.selectAllChildren(code.current);
      done.value = "Selected";
    }
    setTimeout(() => {
      done.value = "";
    }, 2_000);
  };
  return (
    <span class={isLarge ? "command command-large" : "command"}>
      <code ref={code}>{text}</code>
      <button type="button" aria-label={`Copy ${text}`} onClick={() => void copy()}>
        {done.value === "" ? "Copy" : done.value}
      </button>
    </span>
  );
}
