// The fleet as columns: loaded once, kept fresh by waiting for changes, filtered and sorted by the screens.

import { ask, connection, Problem } from "./api.svelte";
import { type Cell, cellsOf, type Table } from "./columns";

export const ROWS_MAX = 20_000;
const AGES_SECONDS = 10;
const PAUSE_MS = 1_000;

export const DOCUMENT_PATHS = [
  "id",
  "clusterMetadata.name",
  "regionId",
  "status",
  "gpus.count",
  "gpus.memory",
  "nodes.nodeData.gpus.modelNames",
  "nodes.count",
  "vcpus.count",
  "memory",
  "tags",
  "clusterMetadata.owner",
  "reputation",
] as const;
export const LEASE_PATHS = ["_registry.liveness", "_registry.observedAt"] as const;
export const REGISTRY_PATHS = ["_registry.updatedAt", "_registry.protected"] as const;

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
  ready = $state(false);
  problem = $state.raw<Problem | null>(null);
  #stop: AbortController | null = null;

  // Follow the fleet as of now, or show it as of a moment.
  follow(at: string): () => void {
    this.#stop?.abort();
    const stop = new AbortController();
    this.#stop = stop;
    this.ready = false;
    void this.#run(at, stop.signal);
    return () => stop.abort();
  }

  async #run(at: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        this.rows = await load(at, signal);
        this.ready = true;
        this.problem = null;
        if (at) return;
        await changed(this.rows.revision, signal);
      } catch (error) {
        if (signal.aborted) return;
        this.problem = error instanceof Problem ? error : new Problem(0, "error", String(error));
        if (this.problem.status >= 400 && this.problem.status < 500 && at) return;
      }
      await pause(PAUSE_MS, signal);
    }
  }

  cell(path: string, row: number): Cell {
    return this.rows.cells[path]?.[row];
  }
}

export const fleet = new Fleet();

async function load(at: string, signal: AbortSignal): Promise<Rows> {
  const columns = [...DOCUMENT_PATHS, ...REGISTRY_PATHS, ...(at ? [] : LEASE_PATHS)];
  const path = `/clusters/table${at ? `?at=${encodeURIComponent(at)}` : ""}`;
  const { body } = await ask<Table>(path, { body: { columns, sort: { id: 1 } }, signal });
  const cells = Object.fromEntries(Object.entries(body.columns).map(([name, column]) => [name, cellsOf(column)]));
  const ids = (cells["id"] ?? []) as string[];
  return { revision: body.revision, total: body.count, ids, cells, loadedAt: Date.now(), at };
}

// Returns when there is a change after a revision, or when ages have grown noticeably.
async function changed(since: number, signal: AbortSignal): Promise<void> {
  const address = `/clusters/watch?since=${since}&as=patch&wait=${AGES_SECONDS}s`;
  await ask(address, { signal });
}

export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}

// Words for how fresh what is shown is.
export function freshness(now: number): string {
  if (!connection.lost) return "";
  return `as of ${new Date(connection.heardAt).toLocaleTimeString("en-GB")}, reconnecting`;
}
