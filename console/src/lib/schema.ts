// What the schema of clusters says of a document while it is written: names to choose from, and what is amiss.
// The registry judges again; this is a part of its rules, for quick answers.

import { texts } from "./texts";

export interface Schema {
  type?: string | string[];
  properties?: Record<string, Schema>;
  items?: Schema;
  required?: string[];
  enum?: unknown[];
  minimum?: number;
  pattern?: string;
  description?: string;
}

export interface Finding {
  at: string;
  problem: string;
  serious: boolean;
}

export interface Choice {
  name: string;
  note: string;
}

export function schemaAt(schema: Schema | undefined, path: string[]): Schema | undefined {
  return path.reduce<Schema | undefined>((found, step) => found?.properties?.[step] ?? (/^\d+$/.test(step) ? found?.items : undefined), schema);
}

// The names that may be written in an object, or the values of an enumeration, that begin with a prefix.
export function choicesAt(schema: Schema, path: string[], isName: boolean, prefix: string): Choice[] {
  const found = schemaAt(schema, path);
  const all: Choice[] = isName
    ? Object.entries(found?.properties ?? {}).map(([name, each]) => ({ name, note: noteOf(each) }))
    : (found?.enum ?? []).filter((each) => typeof each === "string").map((name) => ({ name, note: "" }));
  return all.filter(({ name }) => name.toLowerCase().startsWith(prefix.toLowerCase()) && name !== prefix);
}

function noteOf(schema: Schema): string {
  return [typesOf(schema).join(" or "), schema.description ?? ""].filter(Boolean).join(": ");
}

function typesOf(schema: Schema): string[] {
  return schema.type === undefined ? [] : Array.isArray(schema.type) ? schema.type : [schema.type];
}

export function findingsIn(schema: Schema, value: unknown, at = ""): Finding[] {
  const types = typesOf(schema);
  const type = typeOf(value);
  if (types.length && !types.includes(type) && !(type === "integer" && types.includes("number")))
    return [{ at, problem: texts.mustBeOfType(types.join(" or "), type), serious: true }];
  const found: Finding[] = [];
  const serious = (problem: string) => found.push({ at, problem, serious: true });
  if (schema.enum && !schema.enum.includes(value)) serious(texts.mustBeOneOf(schema.enum.map((each) => JSON.stringify(each)).join(", ")));
  if (schema.minimum !== undefined && typeof value === "number" && value < schema.minimum) serious(texts.mustBeAtLeast(schema.minimum));
  if (schema.pattern && typeof value === "string" && !new RegExp(schema.pattern).test(value)) serious(texts.mustMatch(schema.pattern));
  if (Array.isArray(value) && schema.items) for (const [index, each] of value.entries()) found.push(...findingsIn(schema.items, each, `${at}/${index}`));
  if (type === "object" && schema.properties) found.push(...findingsInObject(schema, value as Record<string, unknown>, at));
  return found;
}

function findingsInObject(schema: Schema, value: Record<string, unknown>, at: string): Finding[] {
  const found: Finding[] = [];
  for (const name of schema.required ?? []) if (!(name in value)) found.push({ at, problem: texts.isMissing(name), serious: true });
  for (const [name, each] of Object.entries(value)) {
    const below = `${at}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const rules = schema.properties?.[name];
    if (rules) found.push(...findingsIn(rules, each, below));
    else found.push({ at: below, problem: texts.isNotDocumented(name), serious: false });
  }
  return found;
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}
