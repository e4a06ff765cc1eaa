// The last thing that was done here, and how to take it back: a restore to the revision before it, if nothing came after.

import { ask } from "./api.svelte";
import { texts } from "./texts";

export interface Done {
  id: string;
  revision: number;
}

// How often something was taken back is counted, for the screens that show it to load it again.
export const undo = $state<{ text: string; done: Done[]; problem: unknown; times: number }>({ text: "", done: [], problem: null, times: 0 });

export function offerUndo(text: string, done: Done[]): void {
  undo.text = text;
  undo.done = done;
  undo.problem = null;
}

// Bring a cluster back to what it was before a change. Refused when it has changed again since.
export async function takeBack({ id, revision }: Done): Promise<void> {
  await ask(`/clusters/${encodeURIComponent(id)}/restore`, {
    body: { revision: revision - 1 },
    headers: { "if-match": `"${revision}"`, "x-reason": encodeURIComponent(`undo of revision ${revision}`) },
  });
}

export async function undoAll(): Promise<void> {
  const { done, text } = undo;
  undo.text = "";
  undo.done = [];
  try {
    for (const each of done) await takeBack(each);
    undo.text = texts.undone(text);
  } catch (error) {
    undo.problem = error;
  }
  undo.times++;
}
