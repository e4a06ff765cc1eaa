// The addresses of the console, taken apart and put together.

export type Screen = "fleet" | "clusters" | "cluster" | "changes" | "webhooks" | "access" | "explain" | "api";

export interface Route {
  screen: Screen;
  id: string;
  query: URLSearchParams;
}

const SCREENS: Record<string, Screen> = {
  "": "fleet",
  clusters: "clusters",
  changes: "changes",
  webhooks: "webhooks",
  access: "access",
  explain: "explain",
  api: "api",
};

export function parseRoute(path: string, search: string): Route {
  const [first = "", ...rest] = path.replace(/^\/console\/?|^\//, "").split("/");
  const query = new URLSearchParams(search);
  if (first === "clusters" && rest[0]) return { screen: "cluster", id: decodeURIComponent(rest.join("/")), query };
  return { screen: SCREENS[first] ?? "fleet", id: "", query };
}

// The address of a screen. Parameters without a value are left out.
export function addressOf(screen: Screen, parameters: Record<string, string | undefined> = {}, id = ""): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value) query.set(name, value);
  const path = screen === "fleet" ? "" : screen === "cluster" ? `/clusters/${encodeURIComponent(id)}` : `/${screen}`;
  const search = query.toString();
  return `/console${path}${search ? `?${search}` : ""}`;
}
