// Charts, drawn by dygraphs (/dygraph.min.js).
import { make } from "/dom.js";
import { currentLanguage, number, say } from "/words.js";

// Legends are our own: those of dygraphs style themselves inline, which the page's content security policy forbids.
Dygraph.PLUGINS = Dygraph.PLUGINS.filter((plugin) => plugin !== Dygraph.Plugins.Legend);

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// A chart and its legend; `names` are those of the series. Drawn once it stands in the page, whose width it takes.
function chart(rows, names, options) {
  const place = make("div", { class: "chart", role: "img", "aria-label": names.join(", ") });
  const value = make("span", {});
  const legend = make("p", { class: "legend row", "aria-hidden": "true" },
    names.map((name, index) => make("span", { class: `key ${["", "second", "third"][index]}` }, name)), value);
  requestAnimationFrame(() => {
    if (!place.isConnected) return;
    new Dygraph(place, rows, {
      labels: ["", ...names], colors: [color("--curve"), color("--second"), color("--third")], axisLineColor: color("--line"),
      gridLineColor: color("--line"), strokeWidth: 2, includeZero: true, fillGraph: true, fillAlpha: 0.12, animatedZooms: false,
      highlightCallback: (event, x, points) => {
        value.textContent = `${options.moment(x)} — ${points.filter((point) => point.yval !== null && !Number.isNaN(point.yval)).map((point) => `${point.name}: ${number(options.value?.(point) ?? Math.round(point.yval * 100) / 100)}`).join(", ")}`;
      },
      unhighlightCallback: () => { value.textContent = ""; },
      ...options.dygraph,
    });
  });
  return make("div", { class: "sheet" }, place, legend);
}

// On the axis midnight is the day, every other moment its time.
function tick(date) {
  const midnight = date.getHours() === 0 && date.getMinutes() === 0;
  return new Intl.DateTimeFormat(currentLanguage(), midnight ? { weekday: "short", day: "numeric" } : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(date);
}

const clock = (milliseconds) => new Intl.DateTimeFormat(currentLanguage(), { weekday: "short", hour: "2-digit", minute: "2-digit" }).format(milliseconds);

// Polls and detections of the last day. Spans in which nothing happened are zero, not absent.
export function activityChart(activity, now) {
  const length = activity.span_s * 1000;
  const known = new Map(activity.spans.map((span) => [new Date(span.begins_at).getTime(), span]));
  const last = Math.floor(new Date(now).getTime() / length) * length;
  const first = Math.min(...known.keys(), last);
  const rows = [];
  for (let at = Math.max(first, last - 24 * 3600 * 1000); at <= last; at += length) {
    rows.push([new Date(at), known.get(at)?.polls ?? 0, known.get(at)?.transitions ?? 0]);
  }
  const names = [say("polls"), say("changes")];
  const byItself = { independentTicks: true, drawGrid: false, axisLabelWidth: 40 };
  return make("div", {}, make("p", { class: "faint" }, say("today_hint")), chart(rows, names, {
    moment: clock, dygraph: { series: { [names[1]]: { axis: "y2" } }, axes: { x: { axisLabelFormatter: tick }, y2: byItself }, stepPlot: true },
  }));
}

// The place in the week of a moment, as it is in the carrier's zone: in slots of so many minutes from Monday, 00:00.
function slotOf(iso, zone, slotMinutes) {
  const parts = new Intl.DateTimeFormat("en", { timeZone: zone, weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).formatToParts(new Date(iso));
  const of = (type) => parts.find((part) => part.type === type).value;
  const days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].indexOf(of("weekday"));
  return Math.floor((days * 1440 + Number(of("hour")) * 60 + Number(of("minute"))) / slotMinutes);
}

// What was learned of when the carrier publishes, over the week in its time zone, and on it what the last day brought.
export function publicationChart(explained, activity) {
  const curve = explained?.learned?.curve;
  if (!curve || curve.shares.length === 0) return undefined;
  const slotsPerDay = 1440 / curve.slot_min;
  const polls = new Map(), changes = new Map();
  for (const span of activity.spans) {
    const slot = slotOf(span.begins_at, explained.zone, curve.slot_min);
    polls.set(slot, (polls.get(slot) || 0) + span.polls);
    if (span.transitions > 0) changes.set(slot, (changes.get(slot) || 0) + span.transitions);
  }
  const monday = Date.UTC(2024, 0, 1);  // any Monday: of these moments only day and time are shown
  const name = (options) => {
    const format = new Intl.DateTimeFormat(currentLanguage(), { ...options, timeZone: "UTC" });
    return (slot) => format.format(monday + slot * curve.slot_min * 60000);
  };
  const day = name({ weekday: "short" }), when = name({ weekday: "long", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const names = [say("curve_share"), say("polls_today"), say("changes_today")];
  // Changes are drawn as high as the curve, whose shape they should have; what is told of them is their number.
  const scale = (Math.max(...curve.shares) * 100) / Math.max(...changes.values(), 1);
  const rows = curve.shares.map((share, slot) => [slot, share * 100, polls.get(slot) ?? null, changes.has(slot) ? changes.get(slot) * scale : null]);
  const points = (size) => ({ strokeWidth: 0, drawPoints: true, pointSize: size, fillGraph: false });
  return make("div", {}, make("p", { class: "faint" }, say("curve_hint", { zone: explained.zone })), chart(rows, names, {
    moment: when, value: (point) => (point.name === names[2] ? changes.get(point.xval) : undefined),
    dygraph: {
      series: { [names[1]]: { axis: "y2", ...points(1.5) }, [names[2]]: points(4) },
      axes: {
        x: { ticker: () => Array.from({ length: 7 }, (unused, index) => ({ v: index * slotsPerDay, label: day(index * slotsPerDay) })) },
        y2: { independentTicks: true, drawGrid: false, axisLabelWidth: 40 },
      },
    },
  }));
}
