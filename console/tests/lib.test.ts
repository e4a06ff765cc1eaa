import { describe, expect, it } from "vitest";

import { addressOf, parseRoute } from "../src/lib/addresses";
import { warningsOf } from "../src/lib/api.svelte";
import { questionOf } from "../src/lib/asking";
import { cellsOf, compareCells, countValues } from "../src/lib/columns";
import { condensed, differenceOf } from "../src/lib/difference";
import { inOrder, rowsMatching } from "../src/lib/listing";
import { count, megabytes } from "../src/lib/numbers";
import { ageOf, localTime } from "../src/lib/time";

describe("columns", () => {
  it("decodes the three forms", () => {
    expect(cellsOf({ values: ["a", undefined, 3] })).toEqual(["a", undefined, 3]);
    expect(cellsOf({ dictionary: ["x", "y"], codes: [1, 0, -1] })).toEqual(["y", "x", undefined]);
    expect(cellsOf({ dictionary: ["x", "y"], lengths: [2, 0, -1, 1], codes: [0, 1, 1] })).toEqual([
      ["x", "y"],
      [],
      undefined,
      ["y"],
    ]);
  });

  it("sorts missing cells first and counts each value of an array once", () => {
    expect([3, undefined, "b", 1, ["a", "z"]].sort(compareCells)).toEqual([1, 3, ["a", "z"], "b", undefined]);
    expect(compareCells(undefined, 1)).toBeLessThan(0);
    expect(countValues([["a", "a"], ["b", "a"], undefined], [0, 1, 2])).toEqual([
      ["a", 2],
      [null, 1],
      ["b", 1],
    ]);
  });
});

describe("rows", () => {
  const ids = ["a", "b", "c", "d"];

  it("are those that match, in the order of the fleet", () => {
    expect(rowsMatching(ids, null)).toEqual([0, 1, 2, 3]);
    expect(rowsMatching(ids, new Set(["d", "b", "gone"]))).toEqual([1, 3]);
    expect(inOrder([0, 2], ids, undefined, false)).toEqual(["a", "c"]);
  });

  it("are sorted as the registry sorts them, ties as they are in the fleet", () => {
    const tags = [["a", "z"], undefined, ["b"], ["b"]];
    expect(inOrder([0, 1, 2, 3], ids, tags, false)).toEqual(["b", "a", "c", "d"]);
    expect(inOrder([0, 1, 2, 3], ids, tags, true)).toEqual(["a", "c", "d", "b"]);
    expect(inOrder([0, 1, 2, 3], ids, [true, 2, "1", false], false)).toEqual(["b", "c", "d", "a"]);
  });
});

describe("routes", () => {
  it("an address and its route are two forms of one thing", () => {
    for (const [screen, id] of [["cluster", "a/b c"], ["clusters", ""], ["fleet", ""], ["changes", ""]] as const) {
      const address = addressOf(screen, { q: "gpus>=8 & live", at: "" }, id);
      const url = new URL(address, "http://localhost");
      const route = parseRoute(url.pathname, url.search);
      expect([route.screen, route.id, route.query.get("q"), route.query.get("at")]).toEqual([screen, id, "gpus>=8 & live", null]);
    }
    expect(parseRoute("/", "").screen).toBe("fleet");
  });
});

describe("words", () => {
  it("says ages in one or two units", () => {
    expect([0, 12, 61, 185, 3_600, 7_500, 93_600, 864_000, Number.NaN].map(ageOf)).toEqual([
      "0 s", "12 s", "1 min", "3 min", "1 h", "2 h 5 min", "1 d 2 h", "10 d", "–",
    ]);
  });

  it("says sizes in the unit that keeps them short", () => {
    expect([512, 2_048, 3_145_728, 2_147_483_648].map(megabytes)).toEqual(["512 MB", "2 GB", "3 TB", "2 PB"]);
  });

  it("takes a brace for a filter and all else for words", () => {
    expect(questionOf(' {"status": "live"}')).toEqual({ query: { status: "live" } });
    expect(questionOf("a100 live ")).toEqual({ where: "a100 live" });
    expect(questionOf(" ")).toEqual({ query: {} });
    expect(() => questionOf("{oops")).toThrow();
  });

  it("reads the texts of warnings", () => {
    expect(warningsOf(String.raw`299 rollbook "say \"a\"", 299 rollbook "b"`)).toEqual(['say "a"', "b"]);
  });
});

describe("differences", () => {
  it("finds the shortest one, and leaves out what is far away", () => {
    const before = ["a", "b", "c", "d", "e", "f", "g", "h"].join("\n");
    const after = ["a", "b", "c", "d", "e", "f", "x", "h"].join("\n");
    expect(differenceOf(before, after).filter((line) => line.kind !== "same")).toEqual([
      { kind: "removed", text: "g" },
      { kind: "added", text: "x" },
    ]);
    expect(condensed(differenceOf(before, after), 1).map((line) => line.text)).toEqual(["⋯", "f", "g", "x", "h"]);
  });
});

describe("numbers and times", () => {
  it("groups thousands, with one decimal at most", () => {
    expect([0, 999, 1_000, 1_234_567.25, 12.34].map(count)).toEqual(["0", "999", "1,000", "1,234,567.3", "12.3"]);
    expect([512, 1_024, 1_572_864, 1_073_741_824].map(megabytes)).toEqual(["512 MB", "1 GB", "1.5 TB", "1 PB"]);
  });

  it("shows a time as Intl does", () => {
    const shown: Intl.DateTimeFormatOptions = { year: "numeric", month: "short", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
    for (let month = 1; month <= 12; month++) {
      const time = `2026-${String(month).padStart(2, "0")}-09T23:05:07Z`;
      expect(localTime(time, true)).toBe(`${new Intl.DateTimeFormat("en-GB", { ...shown, timeZone: "UTC" }).format(new Date(time))} UTC`);
      expect(localTime(time, false)).toBe(new Intl.DateTimeFormat("en-GB", shown).format(new Date(time)));
    }
    expect(localTime("not a time", true)).toBe("not a time");
  });
});
