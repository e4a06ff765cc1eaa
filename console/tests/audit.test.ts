import { expect, test } from "vitest";

import { type Entry, newestEntries } from "../src/lib/audit";

function log(first: number, last: number) {
  const asked: number[] = [];
  const read = async (since: number, limit: number) => {
    asked.push(since);
    const from = Math.max(first, since + 1);
    return Array.from({ length: Math.max(0, Math.min(limit, last - from + 1)) }, (_, index) => ({ seq: from + index }) as Entry);
  };
  return { asked, read };
}

test.each([
  [1, 0, []],
  [1, 3, [3, 2, 1]],
  [1, 1_000, [1_000, 999, 998]],
  [1, 1_002, [1_002, 1_001, 1_000]],
  [50_000, 98_765, [98_765, 98_764, 98_763]],
])("the newest of the entries %i to %i", async (first, last, expected) => {
  const { asked, read } = log(first, last);
  expect((await newestEntries(read, 3)).map((entry) => entry.seq)).toEqual(expected);
  expect(asked.length).toBeLessThan(20);
});
