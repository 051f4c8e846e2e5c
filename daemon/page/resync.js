// The button that has a carrier or a shipment asked now, and what becomes of it.
import { post, read } from "/api.js";
import { make } from "/dom.js";
import { moment, say } from "/words.js";

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function follow(begun, tell) {
  while (begun.resync_id) {
    const progress = await read(`/resync?id=${begun.resync_id}`);
    const resting = (progress.resting || []).map((one) => say("resync_rests", { carrier: one.carrier, until: moment(one.until) }));
    tell([say("resync_done", { done: progress.done, shipments: progress.shipments ?? begun.shipments }), ...resting].join(" · "));
    if (progress.finished) return;
    await pause(700);
  }
}

export function resyncButton(target, then) {
  const progress = make("span", { role: "status", class: "faint" });
  const button = make("button", { type: "button", class: "main", onclick: async () => {
    button.disabled = true;
    try {
      const begun = await post("/resync", { target });
      if (begun) {
        await follow(begun, (text) => { progress.textContent = text; });
        then();
      }
    } catch (error) {
      progress.textContent = error.message;
    } finally {
      button.disabled = false;
    }
  } }, say("resync"));
  return make("span", { class: "row" }, button, progress);
}
