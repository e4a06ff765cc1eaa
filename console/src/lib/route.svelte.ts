// The address is the state: what a screen shows can be read off its URL, and Back works.

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

export const route = $state<{ now: Route }>({
  now: typeof location === "undefined" ? parseRoute("", "") : parseRoute(location.pathname, location.search),
});

export function go(address: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  route.now = parseRoute(location.pathname, location.search);
}

// Follow links inside the console without loading the page again.
export function followLinks(): () => void {
  const onClick = (event: MouseEvent) => {
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const link = (event.target as Element | null)?.closest?.("a");
    if (!link || link.target || link.origin !== location.origin || !link.pathname.startsWith("/console")) return;
    event.preventDefault();
    go(link.pathname + link.search);
    document.querySelector("main")?.scrollTo(0, 0);
  };
  const onBack = () => (route.now = parseRoute(location.pathname, location.search));
  document.addEventListener("click", onClick);
  addEventListener("popstate", onBack);
  return () => {
    document.removeEventListener("click", onClick);
    removeEventListener("popstate", onBack);
  };
}
