/** `2 h 5 min`, `3 d 4 h`, `12 s`: the two largest units. */
export function formatDuration(ms: number): string {
  const total = Math.max(0, Math.ceil(ms / 1_000));
  const [days, hours, minutes] = [
    Math.floor(total / 86_400),
    Math.floor(total / 3_600) % 24,
    Math.floor(total / 60) % 60,
  ];
  if (days > 0) return hours > 0 ? `${days} d ${hours} h` : `${days} d`;
  if (hours > 0) return minutes > 0 ? `${hours} h ${minutes} min` : `${hours} h`;
  if (minutes > 0) return `${minutes} min`;
  return `${total} s`;
}

/** How long a turn took: `340 ms`, `2.4 s`, `3 min 12 s`. */
export function formatTook(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
}

/** `14:03:22`, with the day before it when it is not today. */
export function formatTime(at: number, today: number): string {
  const time = new Date(at);
  const clock = time.toTimeString().slice(0, 8);
  if (time.toDateString() === new Date(today).toDateString()) return clock;
  return `${dayFormat.format(time)} ${clock.slice(0, 5)}`;
}

const dayFormat = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** `842`, `12.4k`, `1.2M`. */
export function formatCount(n: number): string {
  if (n < 1_000) return String(n);
  if (n < 999_950) return `${(n / 1_000).toFixed(n < 99_950 ? 1 : 0)}k`;
  return `${(n / 1_000_000).toFixed(1)}M`;
}

/** `$1.20`, `$0.034`, `$0.0002`. */
export function formatUsd(usd: number): string {
  return `$${usd.toFixed(usd >= 1 ? 2 : usd >= 0.01 ? 3 : 4)}`;
}
