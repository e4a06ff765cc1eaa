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

const RANKS: Record<string, number> = { number: 1, string: 2, boolean: 3 };

// Compares two cells as the registry sorts: missing first, then numbers, text, true and false; an array by its least
// element, or by its greatest when the order is descending.
export function compareCells(left: Cell, right: Cell, descending = false): number {
  const a = Array.isArray(left) ? left.at(descending ? -1 : 0) : left;
  const b = Array.isArray(right) ? right.at(descending ? -1 : 0) : right;
  if (typeof a === "number" && typeof b === "number") return a - b;
  const x = a ?? undefined;
  const y = b ?? undefined;
  if (typeof x !== typeof y) return (RANKS[typeof x] ?? 0) - (RANKS[typeof y] ?? 0);
  return x === undefined || y === undefined || x === y ? 0 : x < y ? -1 : 1;
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
