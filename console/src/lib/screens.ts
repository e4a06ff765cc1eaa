// Each screen is a script of its own, loaded when it is first shown.

import type { Component } from "svelte";

import type { Screen } from "./addresses";

export const SCREENS: Record<Screen, () => Promise<{ default: Component }>> = {
  fleet: () => import("../screens/Fleet.svelte"),
  clusters: () => import("../screens/Clusters.svelte"),
  cluster: () => import("../screens/Cluster.svelte"),
  changes: () => import("../screens/Changes.svelte"),
  webhooks: () => import("../screens/Webhooks.svelte"),
  access: () => import("../screens/Access.svelte"),
  explain: () => import("../screens/Explain.svelte"),
  api: () => import("../screens/Api.svelte"),
};
