// Rows of a question page by page: the first ones of any fleet, until all of it is here, and those of a fleet that is too
// large for one page of the browser. The registry filters, sorts and counts, and sends rows as they are scrolled to.

import { ask } from "./api.svelte";
import { atMoment, firstRows, type Question } from "./asking";
import type { Scalar, Table } from "./columns";
import { EMPTY, type Rows, rowsOf } from "./fleet.svelte";
import { LOADED_MAX, PAGE_ROWS } from "./limits";

export type Facets = Record<string, { values: { value: Scalar; count: number }[] }>;

export const FACETS = [
  "status",
  "regionId",
  "_registry.liveness",
  "nodes.nodeData.gpus.modelNames",
  "tags",
  "clusterMetadata.owner",
] as const;
export const FACET_VALUES = 8;

class Paged {
  rows = $state.raw<Rows>(EMPTY);
  facets = $state.raw<Facets>({});
  problem = $state.raw<unknown>(null);
  ready = $state(false);
  // When the first rows of the question are here, or cannot be.
  first: Promise<void> = Promise.resolve();
  #asked = "";
  #next = "";
  #body: object = {};
  #busy = false;
  #stop: AbortController | null = null;

  get hasMore(): boolean {
    return this.rows.ids.length < this.rows.total && this.rows.ids.length < LOADED_MAX;
  }

  // Begin with the first rows of a question, unless that is what was begun last. Its order is "path" or "-path".
  begin(question: Question, sort: string, at: string): () => void {
    const asked = JSON.stringify([question, sort, at]);
    if (asked !== this.#asked) {
      this.#stop?.abort();
      const stop = new AbortController();
      this.#stop = stop;
      this.#asked = asked;
      this.#next = "";
      this.#busy = false;
      this.first = this.#first(question, sort, at, stop.signal);
    }
    return () => this.#end(asked);
  }

  // Begin anew, since the fleet has changed.
  again(question: Question, sort: string, at: string): void {
    this.#asked = "";
    this.begin(question, sort, at);
  }

  #end(asked: string): void {
    if (asked !== this.#asked) return;
    this.#stop?.abort();
    this.#asked = "";
  }

  // Show nothing of what was asked for before. What is shown stays until then, also while another question is answered.
  forget(): void {
    this.ready = false;
    this.rows = EMPTY;
    this.facets = {};
  }

  async #first(question: Question, sort: string, at: string, signal: AbortSignal): Promise<void> {
    try {
      this.#body = firstRows(question, sort, at).body;
      await this.#take(at, signal, EMPTY);
      this.ready = true;
      this.problem = null;
      const asked = { ...question, facets: FACETS.filter((path) => !at || !path.startsWith("_registry.")), limit: FACET_VALUES };
      this.facets = (await ask<{ facets: Facets }>(atMoment("/clusters/facets", at), { body: asked, signal })).body.facets;
    } catch (error) {
      if (!signal.aborted) this.problem = error;
    }
  }

  // Load the rows after those that there are.
  async more(): Promise<void> {
    const signal = this.#stop?.signal;
    if (!signal || this.#busy || !this.#next || !this.hasMore) return;
    this.#busy = true;
    try {
      this.#body = { ...this.#body, limit: PAGE_ROWS, cursor: this.#next };
      await this.#take(this.rows.at, signal, this.rows);
    } catch (error) {
      if (!signal.aborted) this.problem = error;
    } finally {
      this.#busy = false;
    }
  }

  async #take(at: string, signal: AbortSignal, before: Rows): Promise<void> {
    const reply = await ask<Table>(atMoment("/clusters/table", at), { body: this.#body, signal });
    const rows = rowsOf(reply.body, at);
    const cells = Object.fromEntries(Object.entries(rows.cells).map(([name, each]) => [name, [...(before.cells[name] ?? []), ...each]]));
    this.#next = /[?&]cursor=([^&>]+)[^>]*>; rel="next"/.exec(reply.link ?? "")?.[1] ?? "";
    this.rows = { ...rows, ids: [...before.ids, ...rows.ids], cells };
  }
}

export const paged = new Paged();
