// Keeps the page for use without a network. The build writes a version and the list of the page's files into the two
// constants; where it did not, PRECACHE is no name, this script fails to load, and the browser installs nothing.

const VERSION = "__VERSION__";
const PRECACHE = __PRECACHE__;

const PAGE = `r3gan-page-${VERSION}`;
const SEEN = "r3gan-seen"; // posters and model cards, kept when they are looked at; models keep themselves (download.js)
/** Threads take memory that workers share, which takes these: a static host may not send them, so we add them. */
const ISOLATION = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
const root = new URL("./", self.location);
const index = new URL("index.html", root).href;
const precached = new Set(PRECACHE.map((path) => new URL(path, root).href));

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(PAGE);
      // One missing file fails the installation, and the version before goes on.
      await cache.addAll([...precached].map((address) => new Request(address, { cache: "no-cache" })));
    })(),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) {
        if (name.startsWith("r3gan-page-") && name !== PAGE) await caches.delete(name);
      }
      await self.clients.claim();
    })(),
  );
});

// A page that is open keeps its version until it asks for the new one: its later files have the old names.
self.addEventListener("message", (event) => {
  if (event.data === "activate") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || request.headers.has("range") || !address.href.startsWith(root.href)) return;
  address.search = "";
  address.hash = "";
  const page = request.mode === "navigate" && (address.href === root.href || address.href === index);
  if (page) event.respondWith(fromPage(index, request));
  else if (precached.has(address.href)) event.respondWith(fromPage(address.href, request));
  else if (request.mode === "navigate") event.respondWith(fetch(request).then(isolated, () => fromPage(index, request)));
  else if (request.destination === "worker") event.respondWith(fetch(request).then(isolated));
  else if (address.pathname.endsWith(".wasm")) event.respondWith(keptForPage(address.href, request, event));
  else if (/\.(png|webp|md)$/.test(address.pathname)) event.respondWith(fromSeen(address.href, request, event));
});

async function fromPage(address, request) {
  const cache = await caches.open(PAGE);
  const response = (await cache.match(address)) ?? (await fetch(request));
  // What is as it was kept may come with code that the browser has compiled.
  return request.mode === "navigate" || request.destination === "worker" ? isolated(response) : response;
}

/** What not every visitor needs, kept by those who do. */
async function keptForPage(address, request, event) {
  const cache = await caches.open(PAGE);
  const kept = await cache.match(address);
  if (kept) return kept;
  const response = await fetch(request);
  if (response.ok) event.waitUntil(cache.put(address, response.clone()).catch(() => {}));
  return response;
}

/** The same response, for a page or a worker that is to be isolated. */
function isolated(response) {
  if (!response.ok || response.type === "opaque") return response;
  const { body, status, statusText } = response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(ISOLATION)) headers.set(name, value);
  return new Response(body, { status, statusText, headers });
}

/** What was kept at once, and a fresh copy for the next time. */
async function fromSeen(address, request, event) {
  const cache = await caches.open(SEEN);
  const kept = await cache.match(address);
  const fresh = fetch(request).then(async (response) => {
    if (response.ok) await cache.put(address, response.clone());
    return response;
  });
  if (!kept) return fresh;
  event.waitUntil(fresh.catch(() => {}));
  return kept;
}
