// The first page: what is wrong now, then the carriers, the queue, the outbox, and codes that no profile knows.
import { figure, make, pill, table } from "/dom.js";
import { age, label, number, say } from "/words.js";

const shownAtFirst = 25;

export function carrierState(carrier) {
  if (carrier.login_trouble) return pill(say("login"), "bad");
  if (carrier.breaker !== "closed") return pill(say(carrier.breaker), "bad");
  if (carrier.hold) return pill(say("held", { why: say(carrier.hold) || carrier.hold }), "warn");
  return pill(say("closed"), "good");
}

const isWrong = (carrier) => carrier.login_trouble || carrier.breaker !== "closed";

export function troubleList(report) {
  const lines = (report.trouble || []).map((one) => say(`t_${one.kind}`, one) || one.text);
  if (lines.length === 0) return make("p", { class: "calm" }, say("calm"));
  return make("ul", { class: "wrong" }, lines.map((line) => make("li", {}, line)));
}

const carrierLink = (name) => make("a", { href: `#/carrier/${encodeURIComponent(name)}` }, name);

function carrierTable(carriers, now) {
  return table([
    { name: say("carrier"), cell: (row) => carrierLink(row.carrier) },
    { name: say("state"), cell: carrierState },
    { name: say("shipments"), kind: "number", cell: (row) => number(row.shipments) },
    { name: say("due"), kind: "number", cell: (row) => number(row.due) },
    { name: say("requests"), kind: "number", cell: (row) => number(row.requests) },
    { name: say("polls"), kind: "number", cell: (row) => number(row.polls) },
    { name: say("changes"), kind: "number", cell: (row) => number(row.transitions) },
    { name: say("failed"), kind: "number", cell: (row) => number(row.failed_requests) },
    { name: say("last_answer"), kind: "time", cell: (row) => age(row.last_answer_at, now) },
    { name: say("last_error"), kind: "cut", cell: (row) => row.last_error && make("span", { title: row.last_error }, row.last_error) },
  ], carriers, say("carriers"));
}

// Those with trouble first, then the largest; of many only the first, unless all are wanted. What was typed stays when the
// page is brought up to date.
const wanted = { filter: "", all: false };

function carrierSection(report) {
  const place = make("div", {});
  const draw = () => {
    const found = report.carriers.filter((one) => `${one.carrier} ${one.title}`.toLowerCase().includes(wanted.filter.toLowerCase()));
    found.sort((a, b) => Boolean(isWrong(b)) - Boolean(isWrong(a)) || b.shipments - a.shipments || (a.carrier < b.carrier ? -1 : 1));
    const shown = wanted.all ? found : found.slice(0, shownAtFirst);
    place.replaceChildren(carrierTable(shown, report.now));
    if (shown.length < found.length) {
      place.append(make("p", {}, make("button", { type: "button", onclick: () => { wanted.all = true; draw(); } }, say("show_all", { count: found.length }))));
    }
  };
  const filter = make("input", { type: "search", id: "filter", value: wanted.filter, placeholder: say("filter"), "aria-label": say("filter"),
    oninput: () => { wanted.filter = filter.value; draw(); } });
  draw();
  return [make("div", { class: "row" }, make("h2", {}, say("carriers")), report.carriers.length > 8 && filter), place];
}

function queue(report) {
  const open = (report.requests || []).filter((row) => !["granted", "refused", "cancelled"].includes(row.state));
  const ages = new Map((report.open_requests || []).map((row) => [`${row.carrier} ${row.state}`, row.oldest_requested_at]));
  if (open.length === 0) return make("p", { class: "faint" }, say("none"));
  return table([
    { name: say("carrier"), cell: (row) => carrierLink(row.carrier) },
    { name: say("status"), cell: (row) => pill(label(row.state), row.state === "needs_operator" ? "bad" : "") },
    { name: say("count"), kind: "number", cell: (row) => number(row.count) },
    { name: say("oldest"), kind: "time", cell: (row) => age(ages.get(`${row.carrier} ${row.state}`), report.now) },
  ], open, say("queue"));
}

function outbox(report) {
  if (report.sinks.length === 0) return undefined;
  return table([
    { name: say("sink"), cell: (row) => row.sink },
    { name: say("type"), cell: (row) => row.type },
    { name: say("delivered"), kind: "number", cell: (row) => number(row.delivered) },
    { name: say("behind"), kind: "number", cell: (row) => number(row.behind) },
    { name: say("waiting"), kind: "number", cell: (row) => number(row.waiting) },
    { name: say("oldest"), kind: "time", cell: (row) => row.oldest_waiting_since && age(row.oldest_waiting_since, report.now) },
    { name: say("dead"), kind: "number", cell: (row) => number(row.dead) },
    { name: say("last_error"), kind: "text", cell: (row) => row.last_error },
  ], report.sinks, say("outbox"));
}

function suggestedRule(row) {
  if (!row.rule) return undefined;
  return make("details", {}, make("summary", {}, say("rule")), make("pre", { tabindex: "0" }, row.rule),
    make("p", { class: "faint" }, say("rule_hint", { carrier: row.carrier })));
}

export function unmappedTable(rows, now) {
  return table([
    { name: say("code"), cell: (row) => make("code", {}, row.code) },
    { name: say("carrier"), cell: (row) => carrierLink(row.carrier) },
    { name: say("text"), kind: "text", cell: (row) => row.text },
    { name: say("seen"), kind: "number", cell: (row) => number(row.seen) },
    { name: say("last_seen"), kind: "time", cell: (row) => age(row.last_seen, now) },
    { name: say("rule"), cell: suggestedRule },
  ], rows, say("unmapped"));
}

function byStatus(report) {
  const sums = new Map();
  for (const row of report.open_shipments || []) sums.set(row.status, (sums.get(row.status) || 0) + row.count);
  return [...sums].sort((a, b) => b[1] - a[1]).map(([status, count]) => figure(label(status), number(count)));
}

export function overview(report) {
  const sum = (key) => report.carriers.reduce((total, carrier) => total + carrier[key], 0);
  return [
    make("h1", {}, say("wrong")),
    troubleList(report),
    make("div", { class: "figures" },
      figure(say("carriers"), number(report.carriers.length)),
      figure(say("shipments"), number(sum("shipments"))),
      figure(say("due"), number(sum("due"))),
      figure(say("transitions"), number(report.transitions?.last_seq)),
      figure(say("untold"), number(report.transitions?.without_seq))),
    ...carrierSection(report),
    make("h2", {}, say("queue")), queue(report),
    make("h2", {}, say("outbox")), outbox(report) || make("p", { class: "faint" }, say("none")),
    (report.open_shipments || []).length > 0 && [make("h2", {}, say("open_by_status")), make("div", { class: "figures" }, byStatus(report))],
    (report.unmapped || []).length > 0 && [make("h2", {}, say("unmapped")), unmappedTable(report.unmapped, report.now)],
  ].flat();
}
