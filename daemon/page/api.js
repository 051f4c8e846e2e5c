// The listener's calls.
import { make } from "/dom.js";
import { say } from "/words.js";

export class Failure extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function call(path, options = {}) {
  const response = await fetch(path, { ...options, signal: AbortSignal.timeout(25000) });
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Failure(response.status, body.error || response.statusText);
  return body;
}

const token = () => sessionStorage.getItem("token");
const withToken = () => (token() ? { Authorization: `Bearer ${token()}` } : {});

// Asks for the token in a dialog; false where whoever looks thinks better of it.
function askForToken(refused) {
  return new Promise((resolve) => {
    const field = make("input", { type: "password", autocomplete: "off", "aria-label": say("token"), required: true });
    const form = make("form", { method: "dialog" },
      make("h2", {}, say("token")), refused && make("p", { role: "alert" }, say("wrong_token")), make("p", { class: "faint" }, say("token_hint")), field,
      make("div", { class: "row" }, make("button", { class: "main", value: "ok" }, say("ok")),
        make("button", { value: "cancel", formnovalidate: true }, say("cancel"))));
    const dialog = make("dialog", {}, form);
    dialog.addEventListener("close", () => {
      const given = dialog.returnValue === "ok" && field.value !== "";
      if (given) sessionStorage.setItem("token", field.value.trim());
      dialog.remove();
      resolve(given);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

// What wants the token asks for it, and again where it is wrong. Nothing: whoever looks thought better of it.
async function guarded(attempt) {
  let refused = false;
  for (;;) {
    if (!token() && !(await askForToken(refused))) return undefined;
    try {
      return await attempt();
    } catch (error) {
      if (error.status !== 401) throw error;
      sessionStorage.removeItem("token");
      refused = true;
    }
  }
}

export async function read(path) {
  try {
    return await call(path, { headers: withToken() });
  } catch (error) {
    if (error.status !== 401) throw error;
    return guarded(() => call(path, { headers: withToken() }));  // where looking wants it, too
  }
}

export const readGuarded = (path) => guarded(() => call(path, { headers: withToken() }));

export const post = (path, body) => guarded(() => call(path, {
  method: "POST", body: JSON.stringify(body), headers: { ...withToken(), "Content-Type": "application/json" },
}));

export const shipmentPath = (target) => `/status?target=${encodeURIComponent(target)}`;
