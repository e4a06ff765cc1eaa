import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

// What every screen needs is one script, which the page asks for together with the first one.
const PARTS = "Action|Age|Ask|Copy|Help|Id|SignIn|Status|Trouble|Undo|Waiting";
const MODULES = "api|columns|commands|fleet|numbers|route|session|texts|time|undo";
const EVERYWHERE = new RegExp(`node_modules|src/(main|App)\\.|src/parts/(${PARTS})\\.|src/lib/(${MODULES})\\.`);

const preloadMain: Plugin = {
  name: "preload-main",
  transformIndexHtml: {
    order: "post",
    handler: (_, { bundle = {} }) =>
      Object.keys(bundle)
        .filter((file) => /\/main-[^/]*\.js$/.test(file))
        .map((file) => ({ tag: "link", attrs: { rel: "modulepreload", crossorigin: true, href: `/console/${file}` }, injectTo: "head" })),
  },
};

export default defineConfig({
  base: "/console/",
  plugins: [svelte(), preloadMain],
  build: {
    outDir: "../src/rollbook/console",
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        entryFileNames: "assets/[name]-[hash].js",
        chunkFileNames: "assets/[name]-[hash].js",
        assetFileNames: "assets/[name]-[hash][extname]",
        codeSplitting: { groups: [{ name: "main", test: EVERYWHERE }], includeDependenciesRecursively: false },
      },
    },
  },
  server: { proxy: { "^/(?!console)": "http://localhost:3000" } },
});
