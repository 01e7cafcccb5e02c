/** What one process holds and has open now, over all its turns. */
export interface StreamGauge {
  /** Bytes of answers that are held back: no caller has seen them yet. */
  readonly heldBytes: number;
  /** Answers of providers that are being read. */
  readonly openStreams: number;
  /** Counts one more answer until it is closed. */
  open(): CountedStream;
}

/** One answer, counted. */
export interface CountedStream {
  hold(bytes: number): void;
  /** What was held goes to the caller. */
  letGo(): void;
  /** May be called again; only the first time counts. */
  close(): void;
}

export function createStreamGauge(): StreamGauge {
  let heldBytes = 0;
  let openStreams = 0;
  return {
    get heldBytes() {
      return heldBytes;
    },
    get openStreams() {
      return openStreams;
    },
    open() {
      let held = 0;
      let isOpen = true;
      openStreams += 1;
      const letGo = (): void => {
        heldBytes -= held;
        held = 0;
      };
      return {
        hold(bytes) {
          held += bytes;
          heldBytes += bytes;
        },
        letGo,
        close() {
          letGo();
          if (isOpen) openStreams -= 1;
          isOpen = false;
        },
      };
    },
  };
}
