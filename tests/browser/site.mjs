// Where things are, in the repository.

import { readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");

/** A path of the repository. */
export const folder = (name) => path.join(ROOT, name);

/** The built site, and the native command. */
export const SITE = path.resolve(process.env.R3GAN_SITE ?? folder("target/site"));
export const BINARY = path.resolve(process.env.R3GAN_BINARY ?? folder("target/release/r3gan"));
/** What failed stories leave behind: a screenshot and the console. */
export const LEFT_BEHIND = folder("target/browser/failed");

/** Models of this crate, small enough for any machine: faces by seed, digits by seed and class, 16x16. */
export const FACES = folder("tests/fixtures/pictures_by_seed/model.safetensors");
export const DIGITS = folder("tests/fixtures/pictures_by_class/model.safetensors");

/** What the official training code wrote, 16x16 too. */
export const SNAPSHOT = folder("tests/fixtures/official_pickle/tiny-network-snapshot.pkl");

/** The package's module in the built site, where names carry a hash of their content. */
export function packageModule() {
  const name = readdirSync(path.join(SITE, "pkg")).find((file) => /^index(\.[0-9a-f]+)?\.js$/.test(file));
  return `pkg/${name}`;
}
