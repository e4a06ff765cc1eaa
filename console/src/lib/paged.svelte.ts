// A fleet that is too large for one page of the browser: the registry filters, sorts and counts, and sends rows as they
// are scrolled to.

import { ask } from "./api.svelte";
import type { Scalar, Table } from "./columns";
import { atMoment, columnsAt, EMPTY, type Rows, rowsOf } from "./fleet.svelte";
import { LOADED_MAX, PAGE_ROWS } from "./limits";
import type { Question } from "./matching";


export type Facets = Record<string, { values: { value: Scalar; count: number }[] }>;

export class Paged {
  rows = $state.raw<Rows>(EMPTY);
  facets = $state.raw<Facets>({});
  problem = $state.raw<unknown>(null);
  ready = $state(false);
  #next = "";
  #body: object = {};
  #busy = false;
  #stop: AbortController | null = null;

  get hasMore(): boolean {
    return this.rows.ids.length < this.rows.total && this.rows.ids.length < LOADED_MAX;
  }

  // Begin with the first rows of a question. Its order is "path" or "-path".
  begin(question: Question, sort: string, at: string, facets: string[]): () => void {
    this.#stop?.abort();
    const stop = new AbortController();
    this.#stop = stop;
    this.#next = "";
    this.#busy = false;
    void this.#first(question, sort, at, facets, stop.signal);
    return () => stop.abort();
  }

  async #first(question: Question, sort: string, at: string, facets: string[], signal: AbortSignal): Promise<void> {
    try {
      const order = { [sort.replace(/^-/, "")]: sort.startsWith("-") ? -1 : 1 };
      this.#body = { ...question, columns: columnsAt(at), sort: order, limit: PAGE_ROWS };
      await this.#take(at, signal, EMPTY);
      this.ready = true;
      this.problem = null;
      const asked = { ...question, facets: facets.filter((path) => !at || !path.startsWith("_registry.")), limit: 8 };
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
      await this.#take(this.rows.at, signal, this.rows);
    } catch (error) {
      if (!signal.aborted) this.problem = error;
    } finally {
      this.#busy = false;
    }
  }

  async #take(at: string, signal: AbortSignal, before: Rows): Promise<void> {
    const reply = await ask<Table>(atMoment("/clusters/table", at), { body: { ...this.#body, cursor: this.#next }, signal });
    const rows = rowsOf(reply.body, at);
    const cells = Object.fromEntries(Object.entries(rows.cells).map(([name, each]) => [name, [...(before.cells[name] ?? []), ...each]]));
    this.#next = /[?&]cursor=([^&>]+)[^>]*>; rel="next"/.exec(reply.link ?? "")?.[1] ?? "";
    this.rows = { ...rows, ids: [...before.ids, ...rows.ids], cells };
  }
}
