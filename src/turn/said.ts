import type { Part } from "../protocols/canonical.ts";

/** What an answer has said to its caller so far, and whether another one can go on from there. */
export class Said {
  #text = "";
  #openText: string | null = null;
  #openReasoning = 0;
  #hasCall = false;
  #isFinished = false;

  get text(): string {
    return this.#text;
  }

  /** The id of the block of text that is open; null when none is. */
  get openText(): string | null {
    return this.#openText;
  }

  /**
   * True when there is text, and nothing that only its author could end: no call has begun (it could be made twice), and no reasoning is
   * open (it may be signed).
   */
  get canGoOn(): boolean {
    return this.#text.trim() !== "" && !this.#hasCall && this.#openReasoning === 0 && !this.#isFinished;
  }

  hear(part: Part): void {
    switch (part.type) {
      case "response-start":
      case "reasoning-delta":
        break;
      case "text-start":
        this.#openText = part.id;
        break;
      case "text-delta":
        this.#text += part.text;
        break;
      case "text-end":
        if (this.#openText === part.id) this.#openText = null;
        break;
      case "reasoning-start":
        this.#openReasoning += 1;
        break;
      case "reasoning-end":
        this.#openReasoning -= 1;
        break;
      case "tool-input-start":
      case "tool-input-delta":
      case "tool-call":
        this.#hasCall = true;
        break;
      case "finish":
        this.#isFinished = true;
    }
  }
}
