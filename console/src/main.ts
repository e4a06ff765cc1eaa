import { mount } from "svelte";

import App from "./App.svelte";
import { beginAt } from "./lib/paged.svelte";
import { route } from "./lib/route.svelte";
import { SCREENS } from "./lib/screens";
import "./style.css";

void SCREENS[route.now.screen]().catch(() => undefined);
beginAt(route.now);
const target = document.getElementById("app");
if (target) mount(App, { target });
