// The fleet as columns: loaded once, kept fresh by waiting for changes, filtered and sorted by the screens.

import { ask, connection, Problem } from "./api.svelte";
import { atMoment, columnsAt } from "./asking";
import { type Cell, cellsOf, type Table } from "./columns";
import { ROWS_MAX } from "./limits";
import { texts } from "./texts";
import { clockTime } from "./time";

const AGES_SECONDS = 10;
const PAUSE_MS = 1_000;
const SHARE = 10;

export interface Rows {
  revision: number;
  total: number;
  ids: string[];
  cells: Record<string, Cell[]>;
  loadedAt: number;
  at: string;
}

export const EMPTY: Rows = { revision: 0, total: 0, ids: [], cells: {}, loadedAt: 0, at: "" };

class Fleet {
  rows = $state.raw<Rows>(EMPTY);
  // All rows are here, perhaps those of an earlier visit; they are fresh when they were loaded during this one.
  ready = $state(false);
  fresh = $state(false);
  // More clusters than a page holds: the screens ask page by page then.
  large = $state(false);
  total = $state(0);
  revision = $state(0);
  problem = $state.raw<Problem | null>(null);
  #stop: AbortController | null = null;

  // Follow the fleet as of now, or show it as of a moment; all rows are asked for after ``first``, which is shown sooner.
  follow(at: string, first: Promise<unknown> = Promise.resolve()): () => void {
    this.#stop?.abort();
    const stop = new AbortController();
    this.#stop = stop;
    this.ready &&= this.rows.at === at;
    this.fresh = false;
    void this.#run(at, first, stop.signal);
    return () => stop.abort();
  }

  async #run(at: string, first: Promise<unknown>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let pauseMs = PAUSE_MS;
      try {
        const probe = await load(at, signal, 1);
        this.large = probe.total > ROWS_MAX;
        this.total = probe.total;
        await first;
        const begun = performance.now();
        this.rows = this.large ? { ...probe, ids: [], cells: {} } : await load(at, signal);
        this.revision = this.rows.revision;
        this.total = this.rows.total;
        pauseMs = Math.max(PAUSE_MS, SHARE * (performance.now() - begun));
        this.fresh = this.ready = true;
        this.problem = null;
        if (at) return;
        await changed(this.rows.revision, signal);
      } catch (error) {
        if (signal.aborted) return;
        this.problem = error instanceof Problem ? error : new Problem(0, "error", String(error));
        if (this.problem.status >= 400 && this.problem.status < 500 && at) return;
      }
      await pause(pauseMs, signal);
    }
  }
}

export const fleet = new Fleet();

export function rowsOf(body: Table, at: string): Rows {
  const cells = Object.fromEntries(Object.entries(body.columns).map(([name, column]) => [name, cellsOf(column)]));
  return { revision: body.revision, total: body.count, ids: (cells["id"] ?? []) as string[], cells, loadedAt: Date.now(), at };
}

async function load(at: string, signal: AbortSignal, limit = 0): Promise<Rows> {
  const body = limit ? { columns: ["id"], limit } : { columns: columnsAt(at), sort: { id: 1 } };
  return rowsOf((await ask<Table>(atMoment("/clusters/table", at), { body, signal })).body, at);
}

// Returns when there is a change after a revision, or after some seconds: heartbeats change ages, but are no changes.
export async function changed(since: number, signal: AbortSignal): Promise<void> {
  const address = `/clusters/watch?since=${since}&as=patch&wait=${AGES_SECONDS}s`;
  await ask(address, { signal });
}

export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}

// Runs something once what has changed has been painted.
export function afterPaint(run: () => void): () => void {
  let timer = 0;
  const frame = requestAnimationFrame(() => (timer = window.setTimeout(run)));
  return () => (cancelAnimationFrame(frame), clearTimeout(timer));
}

// Words for how fresh what is shown is.
export function freshness(utc: boolean): string {
  if (!connection.lost) return "";
  return texts.lostAsOf(clockTime(new Date(connection.heardAt), utc));
}
