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

// Words in scripts and in expressions: strings of several words, but for those that elements and styles are named by.
function wordsIn(node: unknown, found: string[] = []): string[] {
  if (Array.isArray(node)) for (const each of node) wordsIn(each, found);
  else if (node && typeof node === "object") {
    const { type, value, callee } = node as { type?: string; value?: unknown; callee?: { property?: { name?: string } } };
    if (type === "ImportDeclaration" || /^(closest|querySelector(All)?|matchMedia)$/.test(callee?.property?.name ?? "")) return found;
    if (type === "Literal" && typeof value === "string" && /\p{L}{2} \p{L}{2}/u.test(value)) found.push(value);
    for (const each of Object.values(node)) if (each && typeof each === "object") wordsIn(each, found);
  }
  return found;
}

const SOURCES = import.meta.glob<string>("../src/**/*.svelte", { query: "?raw", import: "default", eager: true });

test.each(Object.entries(SOURCES))("%s takes its texts from lib/texts.ts", (_name, source) => {
  const { fragment, instance } = parse(source, { modern: true });
  expect([...textsIn(fragment), ...wordsIn(fragment), ...wordsIn(instance)]).toEqual([]);
});
