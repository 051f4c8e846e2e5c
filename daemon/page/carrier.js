// One carrier: how it is, what was asked and found today, and when it publishes.
import { activityChart, publicationChart } from "/charts.js";
import { figure, make } from "/dom.js";
import { carrierState, unmappedTable } from "/overview.js";
import { resyncButton } from "/resync.js";
import { age, duration, moment, number, say } from "/words.js";

const minutes = (value) => duration(value * 60);

// What the schedule has learned and what it spends, as GET /explain tells it.
function learned(explained) {
  if (!explained?.learned) return [make("p", { class: "faint" }, say("no_curve"))];
  const { delays, budget, batches, learned: lessons } = explained;
  const spent = budget?.requests;
  return [make("div", { class: "figures" },
    figure(say("mode"), say(`mode_${explained.mode}`)),
    delays?.statuses > 0 && figure(say("delay"), `${minutes(delays.mean_min)} ± ${minutes(delays.mean_error_min)}`),
    delays?.statuses > 0 && figure(say("hourly"), minutes(30)),
    spent && spent.allowed !== null && figure(say("budget_left"), `${number(spent.left)} / ${number(spent.allowed)}`),
    batches?.found && batches.next_look && figure(say("batch"), moment(batches.next_look)),
    lessons.peaks.length > 0 && figure(say("peaks"), lessons.peaks.map((peak) => `${peak.from}–${peak.to}`).join(", ")))];
}

export function carrier(one, report, activity, explained, again) {
  const unmapped = (report.unmapped || []).filter((row) => row.carrier === one.carrier);
  return [
    make("h1", {}, one.title === one.carrier ? one.carrier : `${one.carrier} · ${one.title}`),
    make("p", { class: "row" }, carrierState(one), one.shipments > 0 && resyncButton(one.carrier, again)),
    (one.login_trouble || one.last_error) && make("p", { class: "sheet" },
      make("strong", {}, say("last_error")), ` ${one.login_trouble || one.last_error}`,
      one.last_error_at && make("span", { class: "faint" }, ` (${age(one.last_error_at, report.now)})`)),
    make("div", { class: "figures" },
      figure(say("shipments"), number(one.shipments)),
      figure(say("due"), number(one.due)),
      figure(say("in_flight"), number(one.in_flight)),
      figure(say("requests"), number(one.requests)),
      figure(say("polls"), number(one.polls)),
      figure(say("unchanged"), number(one.unchanged)),
      figure(say("changes"), number(one.transitions)),
      figure(say("failed"), number(one.failed_requests)),
      figure(say("last_answer"), age(one.last_answer_at, report.now)),
      ...(one.quotas || []).map((quota) => figure(say(`left_of_${quota.period}`), `${number(quota.requests_left)} / ${number(quota.requests_max)}`)),
      one.resting_until && new Date(one.resting_until) > new Date(report.now) && figure(say("resting"), moment(one.resting_until)),
      one.next_due && figure(say("next"), age(one.next_due, report.now))),
    make("h2", {}, say("today")),
    activity.spans.length === 0 ? make("p", { class: "faint" }, say("no_activity")) : activityChart(activity, report.now),
    make("h2", {}, say("curve")),
    ...learned(explained),
    publicationChart(explained, activity),
    unmapped.length > 0 && [make("h2", {}, say("unmapped")), unmappedTable(unmapped, report.now)],
  ].flat();
}
