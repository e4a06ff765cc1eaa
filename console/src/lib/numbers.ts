// Numbers for people.

// With commas between thousands, and one decimal at most. Intl would take milliseconds of every start to be made ready.
export function count(value: number): string {
  return String(Math.round(value * 10) / 10).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

// Megabytes as documents have them, in the unit that keeps the number short.
export function megabytes(value: number): string {
  if (value >= 1_073_741_824) return `${count(value / 1_073_741_824)} PB`;
  if (value >= 1_048_576) return `${count(value / 1_048_576)} TB`;
  if (value >= 1_024) return `${count(value / 1_024)} GB`;
  return `${count(value)} MB`;
}
