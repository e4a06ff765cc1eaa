/// <reference types="vite/client" />
import { parse } from "svelte/compiler";
import { expect, test } from "vitest";

// Elements whose words are commands, keys and code, in every language the same.
const CODE = new Set(["code", "kbd", "style"]);

function textsIn(node: unknown, found: string[] = []): string[] {
  if (Array.isArray(node)) for (const each of node) textsIn(each, found);
  else if (node && typeof node === "object") {
    const { type, name, data } = node as { type?: string; name?: string; data?: string };
    if (type === "Attribute" || type === "StyleDirective" || (type === "RegularElement" && CODE.has(name ?? ""))) return found;
    if (type === "Text" && /\p{L}{2}/u.test(data ?? "")) found.push((data ?? "").trim());
    for (const each of Object.values(node)) if (each && typeof each === "object") textsIn(each, found);
  }
  return found;
}

const SOURCES = import.meta.glob<string>("../src/**/*.svelte", { query: "?raw", import: "default", eager: true });

test.each(Object.entries(SOURCES))("%s takes its texts from lib/texts.ts", (_name, source) => {
  expect(textsIn(parse(source, { modern: true }).fragment)).toEqual([]);
});
