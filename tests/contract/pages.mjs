// Opens the pages in a browser: `pages.mjs ORIGIN BROWSER EMAIL PASSWORD SCREENSHOT`.
import { strict as assert } from "node:assert";
import { chromium } from "playwright-core";

const [origin, executablePath, email, password, screenshot] = process.argv.slice(2);
const document = await (await fetch(`${origin}/openapi.json`)).json();
const operations = Object.values(document.paths).flatMap((item) =>
  ["get", "put", "post", "patch", "delete"].filter((method) => method in item).map((method) => item[method].operationId),
);

// A program gets JSON, a person who comes with a browser a page.
const index = await fetch(`${origin}/`, { headers: { accept: "application/json" } });
assert.match(index.headers.get("content-type"), /^application\/json/, "/ is JSON for programs");
assert.equal((await index.json()).docs, `${origin}/docs/`);

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
try {
  const context = await browser.newContext({ viewport: { width: 1280, height: 1600 } });
  const page = await context.newPage();
  const elsewhere = new Set();
  const broken = [];
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith("http") && url.origin !== origin) elsewhere.add(url.origin);
  });
  page.on("pageerror", (error) => broken.push(error.message));
  page.on("response", (response) => {
    if (response.status() >= 400) broken.push(`${response.status()} ${response.url()}`);
  });

  const front = await page.goto(`${origin}/`);
  assert.match(front.headers()["content-type"], /^text\/html/, "/ is a page for browsers");
  await page.locator('a[href*="docs"]').first().waitFor();

  await page.goto(`${origin}/docs/`, { waitUntil: "networkidle" });
  await page.locator(".opblock").first().waitFor();
  const closed = page.locator('.opblock-tag-section:not(.is-open) .opblock-tag');
  while ((await closed.count()) > 0) await closed.first().click();
  assert.equal(await page.locator(".opblock").count(), operations.length, "every operation is shown");
  for (const id of operations) {
    assert.equal(await page.locator(`.opblock[id$="-${id}"]`).count(), 1, `${id} is shown`);
  }

  // Authorise with a token, then try out what only an account may read.
  const signedIn = await fetch(`${origin}/api/v1/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email, password }),
  });
  const { access_token: token } = await signedIn.json();
  await page.locator(".auth-wrapper .authorize").first().click();
  await page.locator(".auth-container input").first().fill(token);
  await page.locator(".auth-btn-wrapper .authorize").click();
  await page.locator(".auth-btn-wrapper .btn-done").click();
  const me = page.locator('.opblock[id$="-get_me"]');
  await me.locator(".opblock-summary").click();
  await me.locator(".try-out__btn").click();
  await me.locator(".execute").click();
  const answer = me.locator(".live-responses-table .response");
  await answer.waitFor();
  assert.equal((await answer.locator(".response-col_status").innerText()).trim().slice(0, 3), "200");
  assert.ok((await answer.innerText()).includes(email), "the answer is the account");
  await me.scrollIntoViewIfNeeded();
  await page.screenshot({ path: screenshot });

  assert.deepEqual([...elsewhere], [], "no request goes to another host");
  assert.deepEqual(broken, [], "nothing on the pages fails");
  console.log(`Chromium ${browser.version()}: ${operations.length} operations shown, /auth/me tried out: 200`);
} finally {
  await browser.close();
}
