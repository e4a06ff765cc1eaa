// The address is the state: what a screen shows can be read off its URL, and Back works.

import { parseRoute, type Route } from "./addresses";

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
    scrollTo(0, 0);
  };
  const onBack = () => (route.now = parseRoute(location.pathname, location.search));
  document.addEventListener("click", onClick);
  addEventListener("popstate", onBack);
  return () => {
    document.removeEventListener("click", onClick);
    removeEventListener("popstate", onBack);
  };
}
