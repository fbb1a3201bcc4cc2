// A static host for tests: what GitHub Pages and its like do, and a switch for pulling the cable.
//
// By hand: `node server.mjs FOLDER [PORT]`.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".wasm": "application/wasm",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".ico": "image/x-icon",
  ".md": "text/markdown; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
  ".zip": "application/zip",
};

/** Pages with these may share memory between workers, which threads take. */
export const ISOLATED = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

/**
 * Serves folders below paths, `{ "/r3gan/": "target/site" }`; the longest path that fits wins.
 *
 * @param {Record<string, string>} mounts
 * @param {{ port?: number, slow?: (url: string) => number | undefined, headers?: Record<string, string> }} options
 *   `slow`: bytes per second for a path; `headers`: sent with every file
 */
export async function serve(mounts, { port = 0, slow = () => undefined, headers: always = {} } = {}) {
  const paths = Object.keys(mounts).sort((a, b) => b.length - a.length);
  /** @type {{ method: string, path: string, status: number, range: string | undefined, bytes: number }[]} */
  const requests = [];

  async function answer(request, response) {
    const { pathname } = new URL(request.url, "http://host");
    const entry = { method: request.method, path: pathname, status: 0, range: request.headers.range, bytes: 0 };
    requests.push(entry);
    const finish = (status, headers = {}, text = "") => {
      entry.status = status;
      response.writeHead(status, headers).end(text);
    };
    if (request.method !== "GET" && request.method !== "HEAD") return finish(405, { Allow: "GET, HEAD" });
    const mount = paths.find((prefix) => pathname.startsWith(prefix));
    if (!mount) return finish(404);
    const folder = path.resolve(mounts[mount]);
    let file = path.join(folder, decodeURIComponent(pathname.slice(mount.length)));
    if (file !== folder && !file.startsWith(folder + path.sep)) return finish(403);
    let facts = await stat(file).catch(() => null);
    if (facts?.isDirectory()) {
      if (!pathname.endsWith("/")) return finish(301, { Location: `${pathname}/` });
      file = path.join(file, "index.html");
      facts = await stat(file).catch(() => null);
    }
    if (!facts) return finish(404, { "Content-Type": "text/plain" }, "not found");

    const type = TYPES[path.extname(file)] ?? "application/octet-stream";
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    let encoding;
    if (!range) {
      const accepted = request.headers["accept-encoding"] ?? "";
      for (const [name, suffix] of [["br", ".br"], ["gzip", ".gz"]]) {
        const packed = new RegExp(`\\b${name}\\b`).test(accepted) && (await stat(file + suffix).catch(() => null));
        if (packed) {
          [encoding, file, facts] = [name, file + suffix, packed];
          break;
        }
      }
    }
    // Kept, and asked for again each time: never stale, as `ETag` with a short age on a real host.
    const headers = {
      ...always,
      "Content-Type": type,
      "Cache-Control": "no-cache",
      ETag: `"${facts.size.toString(16)}-${facts.mtimeMs.toString(16)}${encoding ? `-${encoding}` : ""}"`,
      "Accept-Ranges": "bytes",
      Vary: "Accept-Encoding",
    };
    if (encoding) headers["Content-Encoding"] = encoding;
    if (request.headers["if-none-match"] === headers.ETag) return finish(304, headers);
    let [start, end] = [0, facts.size - 1];
    const fresh = !request.headers["if-range"] || request.headers["if-range"] === headers.ETag;
    if (range && fresh) {
      start = Number(range[1]);
      if (range[2]) end = Math.min(end, Number(range[2]));
      if (start > end) return finish(416, { "Content-Range": `bytes */${facts.size}` });
      headers["Content-Range"] = `bytes ${start}-${end}/${facts.size}`;
      entry.status = 206;
    } else {
      entry.status = 200;
    }
    headers["Content-Length"] = Math.max(0, end - start + 1);
    response.writeHead(entry.status, headers);
    if (request.method === "HEAD" || facts.size === 0) return response.end();
    const rate = slow(pathname);
    const stream = createReadStream(file, { start, end, ...(rate && { highWaterMark: Math.ceil(rate / 10) }) });
    stream.on("data", (chunk) => (entry.bytes += chunk.length));
    stream.on("error", () => response.destroy());
    if (!rate) return stream.pipe(response);
    for await (const chunk of stream) {
      if (response.destroyed) return stream.destroy();
      response.write(chunk);
      await new Promise((resolve) => setTimeout(resolve, (chunk.length / rate) * 1000));
    }
    response.end();
  }

  const listen = () => {
    const server = createServer((request, response) => {
      answer(request, response).catch(() => response.destroy());
    });
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", () => resolve(server));
    });
  };
  const stop = (server) =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });

  let server = await listen();
  ({ port } = server.address());
  return {
    // A secure context, so that WebGPU and service workers are there.
    origin: `http://localhost:${port}`,
    requests,
    /** Nothing answers at the address until `online`. */
    async offline() {
      if (server) await stop(server);
      server = null;
    },
    async online() {
      server ??= await listen();
    },
    close() {
      return this.offline();
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder = ".", port = "8080"] = process.argv.slice(2);
  const { origin } = await serve({ "/": folder }, { port: Number(port) });
  console.log(`${folder} at ${origin}`);
}
