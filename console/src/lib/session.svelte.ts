// Who this is and what it may; clocks that tick for every age on the page.

import { ask } from "./api.svelte";
import { texts } from "./texts";

export interface Access {
  caller?: string;
  name?: string;
  kind?: string;
  roles?: string[];
  verbs?: string[];
  [more: string]: unknown;
}

export const session = $state<{ access: Access | null; problem: unknown; utc: boolean }>({ access: null, problem: null, utc: false });
export const clock = $state({ now: Date.now() });

export async function learnAccess(): Promise<void> {
  try {
    session.access = (await ask<Access>("/access")).body;
    session.problem = null;
  } catch (problem) {
    session.access = null;
    session.problem = problem;
  }
}

export function tick(): () => void {
  const timer = setInterval(() => (clock.now = Date.now()), 1_000);
  return () => clearInterval(timer);
}

// Where commands go, and whether they have to send a token there.
export function place(): { origin: string; withToken: boolean } {
  return { origin: location.origin, withToken: !!session.access && session.access.kind !== "anonymous" };
}

// Why a caller may not use a verb; "" when it may, or when that is not known.
export function whyNot(verb: string): string {
  const verbs = session.access?.verbs;
  return !verbs || verbs.includes(verb) || verbs.includes("*") ? "" : texts.notAllowed((session.access?.roles ?? []).join(", ") || texts.none2, verb);
}

export async function signIn(token: string): Promise<void> {
  await ask("/session", { method: "POST", headers: { authorization: `Bearer ${token}` } });
}

export async function signOut(): Promise<void> {
  await ask("/session", { method: "DELETE" });
  location.reload();
}
