// What is asked for the rows of clusters: which of them, which columns, in which order, as of when.

import { FIRST_ROWS, PAGE_ROWS } from "./limits";

const DOCUMENT_PATHS = [
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
const LEASE_PATHS = ["_registry.liveness", "_registry.observedAt"] as const;
const REGISTRY_PATHS = ["_registry.updatedAt", "_registry.protected"] as const;

export interface Question {
  query?: unknown;
  where?: string;
}

// What is typed is a filter of MongoDB when it begins with a brace, else words.
export function questionOf(text: string): Question {
  const trimmed = text.trim();
  if (!trimmed) return { query: {} };
  if (trimmed.startsWith("{")) return { query: JSON.parse(trimmed) as unknown };
  return { where: trimmed };
}

export const FIRST_SORT = "id";

export function columnsAt(at: string): string[] {
  return [...DOCUMENT_PATHS, ...REGISTRY_PATHS, ...(at ? [] : LEASE_PATHS)];
}

// An address as of a moment.
export function atMoment(path: string, at: string): string {
  return at ? `${path}?at=${encodeURIComponent(at)}` : path;
}

// The address and the body of a question for its first rows. An order is "path" or "-path".
export function firstRows(question: Question, sort: string, at: string): { path: string; body: object } {
  const order = { [sort.replace(/^-/, "")]: sort.startsWith("-") ? -1 : 1 };
  const body = { ...question, columns: columnsAt(at), sort: order, limit: Math.min(FIRST_ROWS, PAGE_ROWS), cursor: "" };
  return { path: atMoment("/clusters/table", at), body };
}
