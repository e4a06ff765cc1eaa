// Requests to the registry that serves this page. Every failure is a Problem that can be shown.

import { taken } from "./early";
import { texts } from "./texts";

export interface Place {
  at: string;
  problem: string;
}

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly errors: Place[] = [],
  ) {
    super(detail);
  }
}

export interface Reply<T> {
  body: T;
  revision: number;
  etag: string | null;
  warnings: string[];
  link: string | null;
  // The newest revision that the history no longer has.
  compacted: number;
}

// Whether the registry answers, and when it last did.
export const connection = $state({ lost: false, heardAt: Date.now(), signIn: false });

export interface Asked {
  method?: string;
  body?: unknown;
  // Lines of JSON, sent as they are and answered with lines.
  lines?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export async function ask<T>(path: string, { method, body, lines, headers, signal }: Asked = {}): Promise<Reply<T>> {
  let answer: Response;
  const content = body === undefined ? undefined : JSON.stringify(body);
  try {
    const begun = content === undefined ? undefined : taken(path, content);
    answer = await (begun ?? fetch(path, {
      method: method ?? (body === undefined && lines === undefined ? "GET" : "POST"),
      headers: { accept: lines === undefined ? "application/json" : "*/*", ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      body: lines ?? content,
      signal: signal ?? null,
    }));
    signal?.throwIfAborted();
  } catch (error) {
    if ((error as Error).name !== "AbortError") connection.lost = true;
    throw (error as Error).name === "AbortError" ? error : new Problem(0, "unreachable", texts.unreachable);
  }
  connection.lost = false;
  connection.heardAt = Date.now();
  const text = await answer.text();
  const value = lines === undefined || !answer.ok ? parsed(text) : text.split("\n").filter(Boolean).map(parsed);
  if (!answer.ok) {
    if (answer.status === 401) connection.signIn = true;
    const { code = "error", detail = text.slice(0, 300), errors = [] } = (value ?? {}) as Partial<Record<string, never>>;
    throw new Problem(answer.status, code, detail || texts.answered(answer.status), errors);
  }
  return {
    body: value as T,
    revision: Number(answer.headers.get("x-registry-revision") ?? 0),
    etag: answer.headers.get("etag"),
    warnings: warningsOf(answer.headers.get("warning")),
    link: answer.headers.get("link"),
    compacted: Number(answer.headers.get("x-registry-compacted") ?? 0),
  };
}

const QUIET_MS = 12_000;
const LOOK_MS = 4_000;

// Ask whether the registry is there while a screen asks nothing itself, or while it was lost.
export function watchConnection(): () => void {
  const look = () => void ask("/healthz").catch(() => undefined);
  const lose = () => (connection.lost = true);
  const timer = setInterval(() => {
    if (!document.hidden && (connection.lost || Date.now() - connection.heardAt > QUIET_MS)) look();
  }, LOOK_MS);
  addEventListener("offline", lose);
  addEventListener("online", look);
  return () => {
    clearInterval(timer);
    removeEventListener("offline", lose);
    removeEventListener("online", look);
  };
}

function parsed(text: string): unknown {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

export function warningsOf(header: string | null): string[] {
  return [...(header ?? "").matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map((each) => (each[1] ?? "").replace(/\\(.)/g, "$1"));
}
