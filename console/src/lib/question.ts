// Questions about the whole fleet that the registry answers from its indexes, at any size.

import type { Cell } from "./columns";

export const ATTENTION = { $or: [{ status: "unreachable" }, { "_registry.liveness": "silent" }] } as const;
export const FLAPPING = { "_registry.flapping": true } as const;
export const NEEDY_COLUMNS = ["id", "status", "gpus.count", "_registry.liveness", "_registry.observedAt"];

const SUMS = {
  clusters: { $sum: 1 },
  nodes: { $sum: "$nodes.count" },
  gpus: { $sum: "$gpus.count" },
  vcpus: { $sum: "$vcpus.count" },
  memory: { $sum: "$memory" },
};

export const TOTALS = [{ $group: { _id: null, ...SUMS } }];
export const BY_REGION = [{ $group: { _id: "$regionId", ...SUMS } }];
export const BY_MODEL = [
  { $unwind: "$nodes.nodeData" },
  { $unwind: "$nodes.nodeData.gpus.modelNames" },
  { $group: { _id: "$nodes.nodeData.gpus.modelNames", nodes: { $sum: 1 }, gpus: { $sum: "$nodes.nodeData.gpus.count" } } },
];

export interface Group {
  _id: string | null;
  clusters: number;
  nodes: number;
  gpus: number;
  vcpus: number;
  memory: number;
}

export interface Needy {
  id: string;
  gpus: number;
  state: string;
  observedAt: string;
}

// The newest and the oldest heartbeat of the clusters of each liveness.
export function agesOf(cells: Record<string, Cell[]>): Record<string, [string, string]> {
  const ages: Record<string, [string, string]> = {};
  for (const [row, liveness] of (cells["_registry.liveness"] ?? []).entries()) {
    const heard = cells["_registry.observedAt"]?.[row];
    if (typeof heard !== "string") continue;
    const [newest, oldest] = (ages[String(liveness)] ??= [heard, heard]);
    if (heard > newest) ages[String(liveness)] = [heard, oldest];
    else if (heard < oldest) ages[String(liveness)] = [newest, heard];
  }
  return ages;
}

// The clusters of a table that are silent, unreachable or among those that flap, those with most GPUs first.
export function needyOf(cells: Record<string, Cell[]>, flapping: Set<string>): Needy[] {
  const ids = (cells["id"] ?? []) as string[];
  const state = (row: number, id: string) =>
    cells["status"]?.[row] === "unreachable" ? "unreachable" : cells["_registry.liveness"]?.[row] === "silent" ? "silent" : flapping.has(id) ? "flapping" : "";
  return ids
    .map((id, row) => ({ id, gpus: Number(cells["gpus.count"]?.[row] ?? 0), state: state(row, id), observedAt: String(cells["_registry.observedAt"]?.[row] ?? "") }))
    .filter((each) => each.state)
    .sort((a, b) => b.gpus - a.gpus || (a.id < b.id ? -1 : 1));
}
