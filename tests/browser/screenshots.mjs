// Pictures of both views, wide and on a phone, light and dark, for docs/.
//
//     node screenshots.mjs [FOLDER]

import { mkdir } from "node:fs/promises";
import path from "node:path";

import { launch } from "./chromium.mjs";
import { serve } from "./server.mjs";
import { SITE, folder } from "./site.mjs";

const out = path.resolve(process.argv[2] ?? folder("docs"));
const FORMATS = [
  { name: "wide", viewport: { width: 1440, height: 960 }, deviceScaleFactor: 1 },
  { name: "phone", viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
];

await mkdir(out, { recursive: true });
const server = await serve({ "/": SITE });
for (const { name, ...context } of FORMATS) {
  const browser = await launch({ context });
  const { page } = browser;
  const shoot = async (view) => {
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      // What is further down is drawn when it is seen, and the header stands where the page is scrolled to.
      await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight / 2));
      await page.waitForTimeout(2500);
      await page.evaluate(() => window.scrollTo(0, 0));
      // Transitions of colour.
      await page.waitForTimeout(500);
      const file = path.join(out, `page-${view}-${name}-${colorScheme}.png`);
      await page.screenshot({ path: file, fullPage: name === "phone" });
      console.log(file);
    }
  };
  await page.goto(`${server.origin}/?device=cpu`);
  await page.waitForSelector('body[data-state="live"]', { timeout: 300_000 });
  await page.waitForTimeout(3000);
  await shoot("sample");

  await page.goto(`${server.origin}/?device=cpu#train`);
  await page.getByTestId("train-dataset").waitFor();
  await page.evaluate(() => window.scrollTo(0, 0));
  await train(page);
  await shoot("train");
  await browser.close();
}
await server.close();

/** Ring8, until most of its modes are covered. */
async function train(page) {
  await page.getByTestId("train-dataset-ring8").check({ force: true });
  await page.getByTestId("train-start").click();
  await page.waitForSelector('body[data-train="running"]', { timeout: 300_000 });
  await page.waitForFunction(
    () => Number(/\d+/.exec(document.querySelector("[data-testid=train-coverage]")?.textContent ?? "")?.[0] ?? 0) >= 7,
    undefined,
    { timeout: 600_000 },
  );
}
