// Argument: a folder. Looks at the page as people do, in Chromium: what it says, by mouse and by keyboard, wide and narrow, in
// both languages, with a carrier that means ill. Exit 0: all of it was as it should be.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { token, until, World } from "./world.mjs";

const folder = process.argv[2];
const screenshots = process.env.SCREENSHOTS;
mkdirSync(screenshots, { recursive: true });
const world = new World(folder);
const complaints = [];

async function open() {
  const context = await chromium.launchPersistentContext(mkdtempSync(join(folder, "chromium-")), {
    executablePath: "/usr/bin/chromium", headless: true, locale: "es-PE", viewport: { width: 1280, height: 960 },
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  const page = context.pages()[0] || (await context.newPage());
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`); });
  page.on("pageerror", (error) => complaints.push(`exception: ${error.message}`));
  page.on("request", (request) => { if (!request.url().startsWith(world.address)) complaints.push(`asks elsewhere: ${request.url()}`); });
  return { context, page };
}

async function shot(page, name, fullPage = false) {
  await page.evaluate(() => scrollTo(0, 0));
  await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage });
}
const text = (page) => page.locator("main").innerText();

async function looksAtTheOverview(page) {
  await page.goto(`${world.address}/`);
  await page.locator("ul.wrong li").first().waitFor();
  assert.match(await text(page), /oca_pruebas falla:/);
  assert.match(await page.locator("#state").innerText(), /Requiere atención/);
  assert.match(await text(page), /Cliente ausente <img src=x onerror=alert\(1\)>/);
  assert.equal(await page.locator("main img").count(), 0, "what a carrier says is text");
  await page.getByText("Regla sugerida").last().click();
  assert.match(await page.locator("pre").innerText(), /code = "MOT-77"[^]*status = "attempt_failed"[^]*reason = "recipient_absent"/);
  await page.getByText("Regla sugerida").last().click();
  await shot(page, "overview-es", true);
  await page.locator("#language").click();
  await page.getByText("What is wrong now").waitFor();
  assert.match(await text(page), /oca_pruebas fails:/);
  await shot(page, "overview-en", true);
  await page.reload();
  await page.getByText("What is wrong now").waitFor();  // the language is remembered
  await page.locator("#language").click();
}

async function looksAtACarrier(page) {
  await page.locator("main a", { hasText: /^correios$/ }).first().click();
  await page.locator("canvas").first().waitFor();
  assert.match(page.url(), /#\/carrier\/correios$/);
  assert.equal(await page.locator(".chart").count(), 2, "the last day, and what was learned");
  await page.waitForTimeout(500);
  const bounds = await page.locator(".chart").first().boundingBox();
  await page.mouse.move(bounds.x + bounds.width * 0.6, bounds.y + bounds.height / 2);
  await page.locator(".legend", { hasText: "—" }).first().waitFor();
  await shot(page, "carrier-es", true);
  await page.locator("#language").click();
  await page.getByRole("heading", { name: "The last 24 hours" }).waitFor();
  await page.locator("canvas").first().waitFor();
  await page.waitForTimeout(300);
  await shot(page, "carrier-en", true);
  await page.locator("#language").click();
}

async function looksAtAShipment(page, remito) {
  await page.locator("#wanted").fill(remito);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: `olva:${remito}` }).waitFor();
  assert.match(await text(page), /<img src=x onerror="document.title=1">/);
  assert.match(await text(page), /<b>Lima<\/b>/);
  assert.equal(await page.locator("main img, main script, main b b").count(), 0, "what a carrier says is text");
  assert.equal(await page.title(), "Estado de remitod");
  await shot(page, "shipment-es");
  await page.locator("#language").click();
  await page.getByText("What the carrier said").waitFor();
  await shot(page, "shipment-en");
  await page.locator("#language").click();
  await page.locator("#wanted").fill("1003");
  await page.keyboard.press("Enter");
  await page.getByText("Solicitudes de remito").waitFor();
  await page.locator("#wanted").fill("nadie-lo-conoce");
  await page.keyboard.press("Enter");
  await page.getByText("No se sabe nada de nadie-lo-conoce").waitFor();
}

async function asksACarrierNow(page, remito) {
  await page.goto(`${world.address}/#/find/olva:${remito}`);
  await page.getByRole("button", { name: "Consultar ahora" }).click();
  await page.getByLabel("Token").fill("that-is-not-the-token");
  await page.getByRole("button", { name: "Aceptar" }).click();
  await page.getByText("Ese no es el token.").waitFor();
  await page.getByLabel("Token").fill(token);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: `olva:${remito}` }).waitFor();
  await until("the shipment was asked", () => world.sql(`select count(*) from resync_requests where target = 'olva:${remito}' and finished_at is not null`) === "1");
  await page.getByRole("button", { name: "Mostrar respuestas" }).click();
  await page.locator("main details, main p.faint").last().waitFor();
  // Chromium reports the refused token as an error, which is what it was.
  const refused = complaints.findIndex((line) => line.includes("401"));
  assert.ok(refused >= 0);
  complaints.splice(refused, 1);
}

async function goesByKeyboard(page) {
  await page.goto(`${world.address}/#/`);
  await page.reload();
  await page.locator("table").first().waitFor();
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.id), "skip");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.id), "wanted");
  for (let i = 0; i < 20 && !(await page.evaluate(() => document.activeElement.matches("main a"))); ++i) await page.keyboard.press("Tab");
  assert.ok(await page.evaluate(() => document.activeElement.matches("main a")), "links of carriers are reached");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Las últimas 24 horas" }).waitFor();
}

async function looksFromAPhone(page, remito) {
  await page.setViewportSize({ width: 390, height: 844 });
  for (const [name, hash, sign] of [["overview", "#/", "ul.wrong"], ["carrier", "#/carrier/correios", "canvas"], ["shipment", `#/find/olva:${remito}`, "table"]]) {
    await page.goto(`${world.address}/${hash}`);
    await page.locator(sign).first().waitFor();
    await page.waitForTimeout(300);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${name} is ${wide} pixels wider than a phone`);
    await shot(page, `phone-${name}-es`);
  }
  await page.setViewportSize({ width: 320, height: 600 });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "320 pixels do");
}

async function saysWhenTheDaemonIsGone(page) {
  await page.goto(`${world.address}/#/`);
  await page.locator("table").first().waitFor();
  const before = complaints.length;
  await world.stopDaemon();
  // The page brings itself up to date, though a rule is suggested on it.
  await page.locator("#state", { hasText: "El daemon no responde" }).waitFor({ timeout: 60000 });
  complaints.splice(before);  // the refused connections
}

let chrome;
try {
  await world.start();
  await until("olva has told something", () => Number(world.sql("select count(*) from transitions where carrier = 'olva'")) > 3);
  await until("correios has told something", () => Number(world.sql("select count(*) from transitions where carrier = 'correios'")) > 3);
  await world.liveFor(3);
  await until("the schedule has learned", async () => (await (await fetch(`${world.address}/explain?target=correios`)).json()).learned.curve.shares.length > 0);
  await until("a carrier fails", async () => /oca_pruebas/.test(JSON.stringify((await (await fetch(`${world.address}/status`)).json()).degraded)));
  const remito = world.sql("select remito from transitions t where carrier = 'olva' and exists (select 1 from shipments s where s.remito = t.remito and s.ended_at is null) limit 1");
  world.addHostileWords(remito);
  await until("the sample has it", async () => (await (await fetch(`${world.address}/status`)).json()).unmapped.length > 0);
  chrome = await open();
  const { page } = chrome;
  await looksAtTheOverview(page);
  await looksAtACarrier(page);
  await looksAtAShipment(page, remito);
  await asksACarrierNow(page, remito);
  await goesByKeyboard(page);
  await looksFromAPhone(page, remito);
  await saysWhenTheDaemonIsGone(page);
  assert.deepEqual(complaints, [], "the browser has nothing to complain about");
  console.log("page: as it should be");
} catch (error) {
  console.error(error);
  console.error(complaints.join("\n"));
  if (chrome) await chrome.page.screenshot({ path: "/tmp/remitod-page-failed.png" }).catch(() => {});
  process.exitCode = 1;
} finally {
  await chrome?.context.close();
  world.stop();
}
