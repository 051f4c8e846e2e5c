// A shipment's history, or all that is known of an order: what the carrier claimed, when we saw it, what was told of it, and
// the answers that were kept.
import { readGuarded } from "/api.js";
import { figure, make, pill, table } from "/dom.js";
import { resyncButton } from "/resync.js";
import { age, day, duration, label, moment, number, say } from "/words.js";

const time = (iso) => (iso ? make("time", { datetime: iso, title: iso }, moment(iso)) : "–");
const reasonOf = (row) => (row.reason ? ` · ${label(row.reason)}` : "");

function claimed(event) {
  if (!event.occurred_at) return "–";
  return event.date_only ? make("time", { datetime: event.occurred_at, title: event.occurred_at }, day(event.occurred_at)) : time(event.occurred_at);
}

function delay(event) {
  if (!event.occurred_at || event.date_only || event.baseline) return "";
  return duration((new Date(event.detected_at) - new Date(event.occurred_at)) / 1000);
}

function events(rows) {
  return table([
    { name: say("status"), cell: (row) => [pill(label(row.status), row.status === "unmapped" ? "warn" : ""), reasonOf(row)] },
    { name: say("claimed"), kind: "time", cell: claimed },
    { name: say("seen_at"), kind: "time", cell: (row) => time(row.detected_at) },
    { name: say("late_by"), kind: "number", cell: delay },
    { name: say("code"), cell: (row) => row.code && make("code", {}, row.code) },
    { name: say("text"), kind: "text", cell: (row) => row.text },
    { name: say("place"), kind: "text", cell: (row) => row.place },
  ], rows, say("events"));
}

// What came of an event that the carrier gave a day for happened on that day, too.
function transitions(rows, events) {
  const days = new Set(events.filter((event) => event.date_only).map((event) => event.occurred_at));
  const marks = (row) => ["inferred", "late", "correction"].filter((mark) => row[mark]).map((mark) => pill(say(mark), "warn"));
  return table([
    { name: say("seq"), cell: (row) => (row.seq === null ? "–" : String(row.seq)) },
    { name: say("from"), cell: (row) => label(row.from) },
    { name: say("to"), cell: (row) => [pill(label(row.to)), reasonOf(row)] },
    { name: say("claimed"), kind: "time", cell: (row) => claimed({ ...row, date_only: days.has(row.occurred_at) }) },
    { name: say("seen_at"), kind: "time", cell: (row) => time(row.detected_at) },
    { name: say("marks"), cell: marks },
  ], rows, say("told"));
}

function rawAnswers(target) {
  const place = make("div", {});
  const show = async () => {
    try {
      const kept = await readGuarded(`/answers?target=${encodeURIComponent(target)}`);
      if (!kept) return;
      place.className = "answers";
      place.replaceChildren(...(kept.answers.length === 0 ? [make("p", { class: "faint" }, say("raw_none"))] : kept.answers.map((one) =>
        make("details", { open: kept.answers.length === 1 }, make("summary", {}, `${moment(one.kept_at)} · ${one.operation} · HTTP ${one.http_status} · ${one.why}`),
          make("pre", { tabindex: "0" }, one.body)))));
    } catch (error) {
      place.replaceChildren(make("p", { role: "alert" }, error.message));
    }
  };
  return [make("h2", {}, say("raw")), make("p", {}, make("button", { type: "button", onclick: show }, say("raw_show"))), place];
}

function shipment(one, now, again) {
  const target = `${one.carrier}:${one.remito}`;
  return [
    make("h1", {}, target),
    make("p", { class: "row" }, pill(label(one.status) + reasonOf(one), one.status === "delivered" ? "good" : ""),
      make("span", {}, `${say("order")} `, make("a", { href: `#/find/order:${encodeURIComponent(one.order_number)}` }, one.order_number)),
      make("a", { href: `#/carrier/${encodeURIComponent(one.carrier)}` }, one.carrier),
      one.ended_at === null && resyncButton(target, again)),
    make("div", { class: "figures" },
      figure(say("last_asked"), age(one.last_asked, now)),
      figure(say("next_due"), one.next_due ? age(one.next_due, now) : "–"),
      figure(say("attempts"), number(one.attempts_failed)),
      figure(say("registered_at"), moment(one.registered_at)),
      one.ended_at && figure(say("ended_at"), moment(one.ended_at))),
    make("h2", {}, say("events")),
    (one.events || []).length === 0 ? make("p", { class: "faint" }, say("none")) : events(one.events),
    make("h2", {}, say("told")),
    (one.transitions || []).length === 0 ? make("p", { class: "faint" }, say("none")) : transitions(one.transitions, one.events || []),
    ...rawAnswers(target),
  ];
}

function requests(rows) {
  return table([
    { name: say("order"), cell: (row) => `${row.order_number} · ${row.parcel_group}` },
    { name: say("carrier"), cell: (row) => row.carrier },
    { name: say("status"), cell: (row) => pill(label(row.state), row.state === "needs_operator" ? "bad" : "") },
    { name: say("remito"), cell: (row) => row.remito },
    { name: say("why"), kind: "text", cell: (row) => row.refusal_text },
    { name: say("asked_at"), kind: "time", cell: (row) => time(row.requested_at) },
    { name: say("settled_at"), kind: "time", cell: (row) => (row.settled_at ? time(row.settled_at) : "") },
  ], rows, say("remito_requests"));
}

export function shipments(found, now, again) {
  return [
    ...found.shipments.flatMap((one) => shipment(one, now, again)),
    ...(found.requests.length === 0 ? [] : [make("h2", {}, say("remito_requests")), requests(found.requests)]),
  ];
}
