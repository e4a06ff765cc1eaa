// The first script: it sends the first question and loads all other scripts at once, so that neither waits for the other.

import { parseRoute } from "./lib/addresses";
import { FIRST_SORT, firstRows, questionOf } from "./lib/asking";
import { begin } from "./lib/early";
import { SCREENS } from "./lib/screens";
import "./style.css";

const { screen, query } = parseRoute(location.pathname, location.search);

function ask(): void {
  if (screen !== "clusters") return;
  try {
    const { path, body } = firstRows(questionOf(query.get("q") ?? ""), query.get("sort") ?? FIRST_SORT, query.get("at") ?? "");
    begin(path, body);
  } catch {
    return; // the screen says what is amiss in the search
  }
}

ask();
void SCREENS[screen]().catch(() => undefined); // the page asks again, and says what is wrong
void import("./main");
