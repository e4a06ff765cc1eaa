// The newest entries of the audit log, which is read from its oldest entry on.

export interface Entry {
  seq: number;
  at: string;
  actor: string;
  event: string;
  previous: string;
  [more: string]: unknown;
}

// The entries after a sequence number, at most a number of them, the oldest first.
export type Read = (since: number, limit: number) => Promise<Entry[]>;

const STEP = 1_000;
const CLOSE = 500;

// At most a number of the newest entries, the newest first: found by halving, in a few requests of one entry each.
export async function newestEntries(read: Read, limit: number): Promise<Entry[]> {
  let low = 0;
  let high = STEP;
  while ((await read(high, 1)).length) [low, high] = [high, high * 4];
  while (high - low > CLOSE) {
    const middle = Math.floor((low + high) / 2);
    if ((await read(middle, 1)).length) low = middle;
    else high = middle;
  }
  const near = await read(low, STEP);
  if (near.length >= limit || !low) return near.slice(-limit).toReversed();
  return (await read(Math.max(0, (near.at(-1)?.seq ?? low) - limit), limit)).toReversed();
}
