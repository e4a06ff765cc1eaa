// Requests as commands that a person can paste: for curl, for Python, and for the command line of Rollbook.

import { type Question } from "./asking";

export interface Command {
  method: string;
  path: string;
  body?: unknown;
}

export interface Place {
  origin: string;
  withToken: boolean;
}

// One word of a POSIX shell.
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

export function curlOf({ method, path, body }: Command, { origin, withToken }: Place): string {
  const parts = ["curl -s", method === "GET" ? "" : `-X ${method}`, quoted(origin + path)];
  if (withToken) parts.push('-H "Authorization: Bearer $ROLLBOOK_TOKEN"');
  if (body !== undefined) parts.push(`-H 'Content-Type: application/json' -d ${quoted(JSON.stringify(body))}`);
  return parts.filter(Boolean).join(" ");
}

export function cliOf({ method, path, body }: Command, { origin }: Place): string {
  const rest = body === undefined ? "" : ` --body ${quoted(JSON.stringify(body))}`;
  return `rollbook api ${method} ${quoted(path)} --url ${origin}${rest}`;
}

// The command that lists the clusters of a question.
export function listOf(question: Question, { origin }: Place): string {
  const { where } = question;
  if (where !== undefined) return `rollbook cluster ls --url ${origin} ${where.startsWith("-") ? "-- " : ""}${quoted(where)}`;
  return `rollbook cluster ls --url ${origin} -f ${quoted(JSON.stringify(question.query))}`;
}

export function pythonOf({ method, path, body }: Command, { origin, withToken }: Place): string {
  const given = [JSON.stringify(method), JSON.stringify(origin + path)];
  if (body !== undefined) given.push(`json=${pythonLiteral(body)}`);
  if (withToken) given.push(`headers={"Authorization": f"Bearer {os.environ['ROLLBOOK_TOKEN']}"}`);
  return `${withToken ? "import os\n" : ""}import httpx\n\nanswer = httpx.request(${given.join(", ")})\nprint(answer.status_code, answer.text)\n`;
}

// A JSON value as Python writes it.
export function pythonLiteral(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) return `[${value.map(pythonLiteral).join(", ")}]`;
  if (typeof value === "object")
    return `{${Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${pythonLiteral(each)}`).join(", ")}}`;
  return JSON.stringify(value);
}
