// Numbers for people.

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });

export function count(value: number): string {
  return grouped.format(value);
}

// Megabytes as documents have them, in the unit that keeps the number short.
export function megabytes(value: number): string {
  if (value >= 1_073_741_824) return `${grouped.format(value / 1_073_741_824)} PB`;
  if (value >= 1_048_576) return `${grouped.format(value / 1_048_576)} TB`;
  if (value >= 1_024) return `${grouped.format(value / 1_024)} GB`;
  return `${grouped.format(value)} MB`;
}
