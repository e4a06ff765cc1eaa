// The schema of clusters, asked for once.

import { ask } from "./api.svelte";
import type { Schema } from "./schema";

let asked: Promise<Schema | null> | null = null;

export function clusterSchema(): Promise<Schema | null> {
  asked ??= ask<Schema>("/schema").then(
    (reply) => reply.body,
    () => ((asked = null), null),
  );
  return asked;
}
