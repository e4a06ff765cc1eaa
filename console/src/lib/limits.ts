// How many rows a page of the browser holds, how many it asks for at once above that, and how many it loads so. The tests
// make them small.

export interface Limits {
  rows: number;
  page: number;
  loaded: number;
}

const given = (globalThis as { rollbookLimits?: Partial<Limits> }).rollbookLimits;

export const { rows: ROWS_MAX, page: PAGE_ROWS, loaded: LOADED_MAX }: Limits = { rows: 20_000, page: 500, loaded: 20_000, ...given };
