// Which rows of the fleet are shown, and in which order.

import { type Cell, compareCells } from "./columns";

// The places of the clusters that match; null stands for all.
export function rowsMatching(ids: string[], matching: Set<string> | null): number[] {
  const rows: number[] = [];
  for (const [row, id] of ids.entries()) if (!matching || matching.has(id)) rows.push(row);
  return rows;
}

// The ids of these rows by a column, which is without one the order of the rows themselves; ties stay in that order.
export function inOrder(rows: number[], ids: string[], cells: Cell[] | undefined, descending: boolean): string[] {
  if (!cells) return rows.map((row) => ids[row] ?? "");
  const turn = descending ? -1 : 1;
  return [...rows].sort((a, b) => turn * compareCells(cells[a], cells[b], descending) || a - b).map((row) => ids[row] ?? "");
}
