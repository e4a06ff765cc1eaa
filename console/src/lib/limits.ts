// How many rows a page of the browser holds, how many it asks for first, how many at once above what it holds, and how
// many it loads so. The tests make them small.

export interface Limits {
  rows: number;
  first: number;
  page: number;
  loaded: number;
}

const given = (globalThis as { rollbookLimits?: Partial<Limits> }).rollbookLimits;

export const { rows: ROWS_MAX, first: FIRST_ROWS, page: PAGE_ROWS, loaded: LOADED_MAX }: Limits = {
  rows: 20_000,
  first: 60,
  page: 500,
  loaded: 20_000,
  ...given,
};
