// Which clusters a search means. The registry decides; the words and the filter are two forms of one question.

import { ask } from "./api.svelte";
import { atMoment, questionOf } from "./asking";
import type { Cell, Table } from "./columns";
import { cellsOf } from "./columns";

export async function matchingIds(text: string, at: string, signal: AbortSignal): Promise<Set<string>> {
  const { body } = await ask<Table>(atMoment("/clusters/table", at), { body: { ...questionOf(text), columns: ["id"] }, signal });
  const column = body.columns["id"];
  return new Set(column ? (cellsOf(column) as string[]) : []);
}

// Which rows hold every word, for the time that the registry can't be asked. Signs of comparison are left to the registry.
export function matchingHere(text: string, ids: string[], cells: Record<string, Cell[]>): Set<string> | null {
  const words = text.trim().toLowerCase().split(/\s+/).filter(Boolean);
  if (text.trim().startsWith("{") || words.some((word) => /[<>=]/.test(word))) return null;
  const texts = Object.values(cells).filter((column) => column.some((cell) => typeof cell === "string" || Array.isArray(cell)));
  return new Set(ids.filter((_, row) => {
    const all = texts.map((column) => String(column[row] ?? "")).join(" ").toLowerCase();
    return words.every((word) => all.includes(word));
  }));
}
