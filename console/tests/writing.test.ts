import { describe, expect, it } from "vitest";

import { cliOf, curlOf, listOf, pythonLiteral, pythonOf, quoted } from "../src/lib/commands";
import { differenceOf, paired } from "../src/lib/difference";
import { caretIn, lineOf, located } from "../src/lib/json";
import { matchingHere } from "../src/lib/matching";
import { needyOf } from "../src/lib/question";
import { choicesAt, findingsIn, type Schema } from "../src/lib/schema";

const SCHEMA: Schema = {
  type: "object",
  required: ["id"],
  properties: {
    id: { type: "string", description: "unique id" },
    memory: { type: ["number", "string"], minimum: 0 },
    mode: { type: "string", enum: ["local", "remote"] },
    nodes: { type: "object", properties: { nodeData: { type: "array", items: { type: "object", properties: { gpus: { type: "object" }, id: { type: "string" } } } } } },
  },
};

describe("commands", () => {
  const open = { origin: "http://host:1", withToken: false };
  const command = { method: "POST", path: "/clusters/count", body: { name: "it's" } };

  it("quote what a shell would read otherwise", () => {
    expect(quoted("it's $HOME")).toBe(`'it'\\''s $HOME'`);
    expect(curlOf(command, open)).toBe(`curl -s -X POST 'http://host:1/clusters/count' -H 'Content-Type: application/json' -d '{"name":"it'\\''s"}'`);
    expect(cliOf(command, open)).toBe(`rollbook api POST '/clusters/count' --url http://host:1 --body '{"name":"it'\\''s"}'`);
    expect(listOf({ where: "a100 -live" }, open)).toBe("rollbook cluster ls --url http://host:1 'a100 -live'");
    expect(listOf({ where: "-live" }, open)).toBe("rollbook cluster ls --url http://host:1 -- '-live'");
  });

  it("send a token only where one is needed, and never its text", () => {
    expect(curlOf(command, open)).not.toContain("Authorization");
    expect(curlOf(command, { ...open, withToken: true })).toContain('"Authorization: Bearer $ROLLBOOK_TOKEN"');
    expect(pythonOf(command, { ...open, withToken: true })).toContain("os.environ['ROLLBOOK_TOKEN']");
  });

  it("write values as Python does", () => {
    expect(pythonLiteral({ a: [true, null, 1.5, "x"], b: false })).toBe('{"a": [True, None, 1.5, "x"], "b": False}');
  });
});

describe("JSON with places", () => {
  it("knows the line of each value", () => {
    const { value, lines, mistake } = located('{\n  "a": [\n    1,\n    {"b/c": 2}\n  ]\n}');
    expect(value).toEqual({ a: [1, { "b/c": 2 }] });
    expect(mistake).toBeNull();
    expect([lineOf(lines, "/a"), lineOf(lines, "/a/1/b~1c"), lineOf(lines, "/a/1/missing")]).toEqual([2, 4, 4]);
  });

  it.each([
    ['{"a": 1,\n}', 2, "comma"],
    ['{"a" 1}', 1, "colon"],
    ['{\n"a": tru}', 2, "value"],
    ['{"a": 1', 1, "too early"],
    ['{"a": 1, "a": 2}', 1, "twice"],
    ["{} x", 1, "after the end"],
    ['{"a": "x\n"}', 1, "quote"],
  ])("says what is wrong with %j", (text, line, message) => {
    const { mistake } = located(text);
    expect(mistake?.line).toBe(line);
    expect(mistake?.message).toContain(message);
  });

  it("reads what JSON.parse reads", () => {
    const values = [{}, [], { a: { b: [1, -2.5e10, "ü\n\"", true, null] } }, [[[]]], "text", 0, { __proto__x: 1, "": [{}] }];
    for (const value of values) expect(located(JSON.stringify(value, null, 2)).value).toEqual(value);
  });

  it("knows what is written at the caret", () => {
    const at = (text: string) => caretIn(text.replace("|", ""), text.indexOf("|"));
    expect(at('{"nodes": {"no|')).toMatchObject({ path: ["nodes"], isName: true, prefix: "no" });
    expect(at('{"a": 1, "mo|"}')).toMatchObject({ path: [], isName: true, prefix: "mo" });
    expect(at('{"mode": "re|"}')).toMatchObject({ path: ["mode"], isName: false, prefix: "re" });
    expect(at('{"nodes": {"nodeData": [{}, {"g|')).toMatchObject({ path: ["nodes", "nodeData", "1"], isName: true, prefix: "g" });
    expect(at('{"a": 1|')).toBeNull();
    expect(at('{"a": "b"|}')).toBeNull();
  });
});

describe("the schema while writing", () => {
  it("offers names and values", () => {
    expect(choicesAt(SCHEMA, [], true, "m").map(({ name }) => name)).toEqual(["memory", "mode"]);
    expect(choicesAt(SCHEMA, ["nodes", "nodeData", "3"], true, "").map(({ name }) => name)).toEqual(["gpus", "id"]);
    expect(choicesAt(SCHEMA, ["mode"], false, "re").map(({ name }) => name)).toEqual(["remote"]);
    expect(choicesAt(SCHEMA, ["nowhere"], true, "")).toEqual([]);
  });

  it("finds what is amiss, with its place", () => {
    expect(findingsIn(SCHEMA, { id: "a", memory: 3, nodes: { nodeData: [] } })).toEqual([]);
    const found = findingsIn(SCHEMA, { memory: -1, mode: "far", nodes: { nodeData: [{ gpus: 3 }] }, more: 1 });
    expect(found.map(({ at, serious }) => [at, serious])).toEqual([["", true], ["/memory", true], ["/mode", true], ["/nodes/nodeData/0/gpus", true], ["/more", false]]);
  });
});

describe("differences side by side", () => {
  it("put what was removed beside what was added", () => {
    const pairs = paired(differenceOf("a\nb\nc\nd", "a\nB\nd"));
    expect(pairs.map(([left, right]) => [left?.text, right?.text])).toEqual([["a", "a"], ["b", "B"], ["c", undefined], ["d", "d"]]);
  });
});

describe("what the page knows by itself", () => {
  it("looks for plain words in what is shown, and leaves filters to the registry", () => {
    const cells = { id: ["a-1", "b-2"], tags: [["gpu", "west"], ["east"]], count: [1, 2] };
    expect(matchingHere("WEST a-", ["a-1", "b-2"], cells)).toEqual(new Set(["a-1"]));
    expect(matchingHere("gpus>=8", ["a-1"], cells)).toBeNull();
    expect(matchingHere('{"status": "live"}', ["a-1"], cells)).toBeNull();
  });

  it("orders what needs attention by GPUs", () => {
    const cells = { id: ["a", "b", "c", "d"], status: ["live", "unreachable", "live", "live"], "gpus.count": [9, 1, 4, 8], "_registry.liveness": ["alive", "silent", "silent", "alive"] };
    expect(needyOf(cells, new Set(["d"])).map(({ id, state }) => [id, state])).toEqual([["d", "flapping"], ["c", "silent"], ["b", "unreachable"]]);
  });
});
