// How many rows a page of the browser holds, and how many it asks for at once above that. The tests make them small.

export interface Limits {
  rows: number;
  page: number;
}

const given = (globalThis as { rollbookLimits?: Partial<Limits> }).rollbookLimits;

export const { rows: ROWS_MAX, page: PAGE_ROWS }: Limits = { rows: 20_000, page: 500, ...given };
