// Columns of a table, as POST /clusters/table sends them, decoded into one array of values for each path.

export type Scalar = string | number | boolean | null;
export type Cell = Scalar | Scalar[] | undefined;

export type Column =
  | { values: Cell[] }
  | { dictionary: Scalar[]; codes: number[] }
  | { dictionary: Scalar[]; lengths: number[]; codes: number[] };

export interface Table {
  revision: number;
  count: number;
  columns: Record<string, Column>;
}

// The cells of a column, in the order of its rows. A code of -1 stands for a missing value.
export function cellsOf(column: Column): Cell[] {
  if ("values" in column) return column.values;
  const { dictionary, codes } = column;
  if (!("lengths" in column)) return codes.map((code) => (code < 0 ? undefined : dictionary[code]));
  let place = 0;
  return column.lengths.map((length) => {
    if (length < 0) return undefined;
    const cell = codes.slice(place, place + length).map((code) => dictionary[code] ?? null);
    place += length;
    return cell;
  });
}

// Compares two cells for sorting: missing first, then numbers, then text; an array by its first element.
export function compareCells(left: Cell, right: Cell): number {
  const a = Array.isArray(left) ? left[0] : left;
  const b = Array.isArray(right) ? right[0] : right;
  const missing = (value: unknown) => value === undefined || value === null;
  if (missing(a) || missing(b)) return Number(missing(b)) - Number(missing(a));
  if (typeof a === "number" && typeof b === "number") return a - b;
  const x = String(a);
  const y = String(b);
  return x < y ? -1 : x > y ? 1 : 0;
}

// How many rows have each value, the most frequent first. An array counts once for each of its distinct elements.
export function countValues(cells: Cell[], rows: Iterable<number>): [Scalar, number][] {
  const counts = new Map<Scalar, number>();
  for (const row of rows) {
    const cell = cells[row];
    for (const value of Array.isArray(cell) ? new Set(cell) : [cell ?? null])
      counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1] || compareCells(a[0], b[0]));
}
