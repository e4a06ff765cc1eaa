// JSON with places: where each value of a text stands, what is wrong with it, and what is being written at the caret.

import { texts } from "./texts";

export interface Mistake {
  line: number;
  message: string;
}

export interface Located {
  value: unknown;
  lines: Map<string, number>;
  mistake: Mistake | null;
}

const SPACE = /\s/;
const LITERAL = /^(true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)/;

class Reader {
  readonly lines = new Map<string, number>();
  #at = 0;
  #line = 1;

  constructor(readonly text: string) {}

  whole(): unknown {
    const value = this.#value("");
    this.#skip();
    if (this.#at < this.text.length) this.#fail(texts.textAfterTheEnd);
    return value;
  }

  get line(): number {
    return this.#line;
  }

  #value(pointer: string): unknown {
    this.#skip();
    this.lines.set(pointer, this.#line);
    const sign = this.text[this.#at];
    if (sign === "{") return this.#object(pointer);
    if (sign === "[") return this.#array(pointer);
    if (sign === '"') return this.#string();
    const found = LITERAL.exec(this.text.slice(this.#at, this.#at + 400));
    if (!found?.[1]) return this.#fail(sign === undefined ? texts.endsTooEarly : texts.valueMissing);
    this.#at += found[1].length;
    return JSON.parse(found[1]);
  }

  #object(pointer: string): Record<string, unknown> {
    const members: Record<string, unknown> = {};
    for (const first of this.#items("}")) {
      void first;
      this.#skip();
      if (this.text[this.#at] !== '"') this.#fail(texts.quotedNameMissing);
      const name = this.#string();
      this.#skip();
      if (this.text[this.#at] !== ":") this.#fail(texts.colonMissing(name));
      this.#at++;
      const below = `${pointer}/${escaped(name)}`;
      if (this.lines.has(below)) this.#fail(texts.nameTwice(name));
      Object.defineProperty(members, name, { value: this.#value(below), enumerable: true, configurable: true });
    }
    return members;
  }

  #array(pointer: string): unknown[] {
    const elements: unknown[] = [];
    for (const index of this.#items("]")) elements.push(this.#value(`${pointer}/${index}`));
    return elements;
  }

  // Gives the index of each item up to the closing sign, and reads the commas between them.
  *#items(close: string): Generator<number> {
    this.#at++;
    this.#skip();
    if (this.text[this.#at] === close) {
      this.#at++;
      return;
    }
    for (let index = 0; ; index++) {
      yield index;
      this.#skip();
      const sign = this.text[this.#at];
      if (sign === close) {
        this.#at++;
        return;
      }
      if (sign !== ",") this.#fail(sign === undefined ? texts.endsTooEarly : texts.commaMissing(close));
      this.#at++;
      this.#skip();
      if (this.text[this.#at] === close) this.#fail(texts.commaBefore(close));
    }
  }

  #string(): string {
    const end = endOfString(this.text, this.#at);
    if (end < 0) this.#fail(texts.quoteMissing);
    const raw = this.text.slice(this.#at, end);
    this.#at = end;
    try {
      return JSON.parse(raw) as string;
    } catch {
      return this.#fail(texts.mustBeEscaped);
    }
  }

  #skip(): void {
    for (; this.#at < this.text.length && SPACE.test(this.text[this.#at] ?? ""); this.#at++)
      if (this.text[this.#at] === "\n") this.#line++;
  }

  #fail(message: string): never {
    throw new SyntaxError(message);
  }
}

export function escaped(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

// The value of a text with the line of each JSON Pointer in it, or the first mistake.
export function located(text: string): Located {
  const reader = new Reader(text);
  try {
    return { value: reader.whole(), lines: reader.lines, mistake: null };
  } catch (error) {
    return { value: undefined, lines: reader.lines, mistake: { line: reader.line, message: (error as Error).message } };
  }
}

// The line of a pointer, or of what is above it, when it is not there itself.
export function lineOf(lines: Map<string, number>, pointer: string): number {
  for (let at = pointer; at; at = at.slice(0, at.lastIndexOf("/"))) {
    const line = lines.get(at);
    if (line !== undefined) return line;
  }
  return lines.get("") ?? 1;
}

export interface Caret {
  path: string[];
  isName: boolean;
  from: number;
  prefix: string;
}

// What is being written at an offset: a name or a string value inside an object, and where it is.
export function caretIn(text: string, offset: number): Caret | null {
  const open: { isObject: boolean; name: string; index: number; afterColon: boolean }[] = [];
  for (let at = 0; at < offset; at++) {
    const sign = text[at] ?? "";
    const top = open.at(-1);
    if (sign === '"') {
      const end = endOfString(text, at);
      if (end < 0 || end > offset) return caretOf(open, at + 1, text.slice(at + 1, offset));
      if (top?.isObject && !top.afterColon) top.name = parsedString(text.slice(at, end));
      at = end - 1;
    } else if (sign === "{" || sign === "[") open.push({ isObject: sign === "{", name: "", index: 0, afterColon: false });
    else if (sign === "}" || sign === "]") open.pop();
    else if (sign === ":" && top) top.afterColon = true;
    else if (sign === "," && top) {
      top.afterColon = false;
      top.index++;
    }
  }
  return null;
}

function caretOf(open: { isObject: boolean; name: string; index: number; afterColon: boolean }[], from: number, prefix: string): Caret {
  const top = open.at(-1);
  const isName = !!top?.isObject && !top.afterColon;
  const steps = isName ? open.slice(0, -1) : open;
  return { path: steps.map((each) => (each.isObject ? each.name : String(each.index))), isName, from, prefix };
}

function parsedString(raw: string): string {
  try {
    return JSON.parse(raw) as string;
  } catch {
    return "";
  }
}

// The offset after a string that begins at an offset; -1 when it does not end on its line.
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at + 1;
    else if (text[at] === "\n") return -1;
  }
  return -1;
}
