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

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sept", "Oct", "Nov", "Dec"];
const twoDigits = (number: number) => String(number).padStart(2, "0");

// A moment as a clock shows it: "14:03:07", the reader's or that of UTC.
export function clockTime(at: Date, utc: boolean): string {
  const parts = utc ? [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()] : [at.getHours(), at.getMinutes(), at.getSeconds()];
  return parts.map(twoDigits).join(":") + (utc ? " UTC" : "");
}

// An ISO 8601 time with its day. A table shows a hundred of them: Intl would take ten times as long.
export function localTime(time: string, utc: boolean): string {
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return time;
  const [year, month, day] = utc ? [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()] : [at.getFullYear(), at.getMonth(), at.getDate()];
  return `${twoDigits(day)} ${MONTHS[month]} ${year}, ${clockTime(at, utc)}`;
}
