// The page: which view the address names, and bringing it up to date. The address says everything: #/, #/carrier/NAME,
// #/find/CARRIER:REMITO, #/find/order:N.
import { read, shipmentPath } from "/api.js";
import { carrier } from "/carrier.js";
import { make } from "/dom.js";
import { overview } from "/overview.js";
import { shipments } from "/shipment.js";
import { age, currentLanguage, moment, say, switchLanguage } from "/words.js";

const refreshEvery = 10000;
const byId = (id) => document.getElementById(id);
const main = byId("main");

function frame(report) {
  document.documentElement.lang = currentLanguage();
  document.title = say("title");
  byId("skip").textContent = say("skip");
  byId("language").textContent = say("language");
  byId("wanted").placeholder = say("wanted");
  byId("wanted").setAttribute("aria-label", say("wanted"));
  byId("find").querySelector("button").textContent = say("find");
  const state = byId("state");
  state.className = `pill ${report ? (report.ok ? "good" : "bad") : ""}`;
  state.textContent = report ? (report.ok ? say("fine") : say("degraded")) : "";
  if (!report) return;
  byId("footer").replaceChildren(make("p", {}, `remitod ${report.version} · ${report.database.engine} · ${say("since")} ${moment(report.started_at)} · `
    + `${say("updated", { age: moment(report.now) })} · ${say("sampled", { age: age(report.sampled_at, report.now) })}`));
}

const optional = (path) => read(path).catch(() => undefined);

async function view(kind, target) {
  const report = await read("/status");
  if (!report) return [undefined, [make("p", {}, say("no_token"))]];
  if (kind === "carrier") {
    const one = report.carriers.find((row) => row.carrier === target);
    if (!one) return [report, [make("p", {}, say("not_found", { target }))]];
    const query = `?target=${encodeURIComponent(target)}`;
    const [activity, explained] = await Promise.all([read(`/activity${query}`), optional(`/explain${query}`)]);
    return [report, carrier(one, report, activity, explained, show)];
  }
  if (kind === "find" && !target.includes(":")) return [report, [make("p", {}, say("not_found", { target }))]];
  if (kind === "find") {
    const found = await read(shipmentPath(target)).catch((error) => {
      if (error.status === 404 || error.status === 400) return undefined;
      throw error;
    });
    return [report, found ? shipments(found, report.now, show) : [make("p", {}, say("not_found", { target }))]];
  }
  return [report, overview(report)];
}

let shown = 0;  // views are drawn in the order in which they were asked for

async function show() {
  const turn = ++shown;
  const [, kind = "", ...rest] = location.hash.slice(1).split("/");
  const target = decodeURIComponent(rest.join("/"));
  try {
    const [report, content] = await view(kind, target);
    if (turn !== shown) return;
    frame(report);
    const focused = main.contains(document.activeElement) ? document.activeElement.id : "";
    main.replaceChildren(...content.filter(Boolean));
    if (focused) byId(focused)?.focus();
  } catch (error) {
    if (turn !== shown) return;
    frame();
    byId("state").className = "pill bad";
    byId("state").textContent = say("away");
    if (!main.hasChildNodes()) main.replaceChildren(make("p", { role: "alert" }, say("page_error", { error: error.message })));
  }
}

// Nothing is redrawn under the hands of whoever is reading an answer, has a dialog open or waits for a resync.
const isBusy = () => document.hidden || document.querySelector("dialog, main details[open], main button:disabled, main .answers") !== null;

// CARRIER:REMITO and order:N are taken at their word; of anything else it is asked what it is a number of.
async function find(wanted) {
  if (wanted.includes(":")) return [wanted];
  return (await read(`/find?text=${encodeURIComponent(wanted)}`)).targets;
}

byId("find").addEventListener("submit", async (event) => {
  event.preventDefault();
  const wanted = byId("wanted").value.trim();
  if (!wanted) return;
  const targets = await find(wanted).catch(() => []);
  const path = (target) => `#/find/${encodeURIComponent(target)}`;
  if (targets.length > 1) {
    ++shown;
    main.replaceChildren(make("h1", {}, wanted), make("ul", {}, targets.map((target) => make("li", {}, make("a", { href: path(target) }, target)))));
    return;
  }
  location.hash = path(targets[0] ?? wanted);
});
byId("language").addEventListener("click", () => {
  switchLanguage();
  show();
});
addEventListener("hashchange", () => {
  main.replaceChildren(make("p", { class: "faint" }, say("loading")));
  show().then(() => main.focus());
});
setInterval(() => { if (!isBusy()) show(); }, refreshEvery);
frame();
show();
