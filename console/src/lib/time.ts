// Times and ages in words.

const STEPS: [number, string][] = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
  [1, "s"],
];

// An age in its largest unit, two when the first is small: "12 s", "3 min", "2 d 4 h".
export function ageOf(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  let left = Math.max(0, Math.round(seconds));
  for (const [index, [size, unit]] of STEPS.entries()) {
    if (left < size && unit !== "s") continue;
    const whole = Math.floor(left / size);
    left -= whole * size;
    const next = STEPS[index + 1];
    const more = next && unit !== "min" && whole < 10 ? Math.floor(left / next[0]) : 0;
    return more && next ? `${whole} ${unit} ${more} ${next[1]}` : `${whole} ${unit}`;
  }
  return "0 s";
}

// How long ago an ISO 8601 time was, in seconds.
export function secondsSince(time: string | null | undefined, now: number): number {
  const at = time ? Date.parse(time) : Number.NaN;
  return (now - at) / 1000;
}

// A formatter takes long to make: one each is made, when it is first needed.
const formats = new Map<boolean, Intl.DateTimeFormat>();

function formatOf(utc: boolean): Intl.DateTimeFormat {
  const format =
    formats.get(utc) ??
    new Intl.DateTimeFormat("en-GB", {
      year: "numeric",
      month: "short",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
      ...(utc ? { timeZone: "UTC" } : {}),
    });
  formats.set(utc, format);
  return format;
}

// An ISO 8601 time as the reader's clock shows it.
export function localTime(time: string, utc: boolean): string {
  const at = new Date(time);
  return Number.isNaN(at.getTime()) ? time : formatOf(utc).format(at) + (utc ? " UTC" : "");
}
