// What the page is looked at: three carriers of the demo, one that nobody answers for, and the daemon between them.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const { REMITOD, DEMO_CARRIERS, PROFILES } = process.env;
export const token = "a-token-for-the-page-0123456789";
const scale = 2880;  // a day in half a minute

export async function until(what, condition, seconds = 90) {
  for (let i = 0; i < seconds * 10; ++i) {
    if (await condition()) return;
    await pause(100);
  }
  throw new Error(`never came true: ${what}`);
}

export class World {
  constructor(folder) {
    this.folder = folder;
    this.children = [];
  }

  run(program, args, log) {
    const child = spawn("sh", ["-c", 'exec "$0" "$@" 2>>"$LOG"', program, ...args], { stdio: "ignore", env: { ...process.env, LOG: join(this.folder, log) } });
    this.children.push(child);
    return child;
  }
  sql(text) {
    return execFileSync("sqlite3", ["-cmd", ".timeout 10000", join(this.folder, "remitod.db"), text], { encoding: "utf8" }).trim();
  }
  log() {
    return readFileSync(join(this.folder, "remitod.log"), "utf8");
  }

  async start() {
    const origin = new Date().toISOString().replace(/\.\d+/, "");
    const portFile = join(this.folder, "port");
    this.run(DEMO_CARRIERS, ["--port-file", portFile, "--time-scale", scale, "--time-origin", origin], "carriers.log");
    await until("the carriers listen", () => existsSync(portFile) && readFileSync(portFile, "utf8") !== "");
    const url = `http://127.0.0.1:${readFileSync(portFile, "utf8").trim()}`;
    writeFileSync(join(this.folder, "token"), token);
    const account = `{ account = "100000/000", user = "demo", operativa = "1" }`;
    const secret = `"file:${join(this.folder, "token")}"`;
    writeFileSync(join(this.folder, "remitod.toml"), `
[database]
url = "sqlite:${join(this.folder, "remitod.db")}"
[daemon]
control_socket = "${join(this.folder, "control.sock")}"
carriers_dirs = ["${PROFILES}"]
time_scale = ${scale}.0
time_origin = "${origin}"
[listen]
address = "127.0.0.1:0"
token = ${secret}
[carriers.oca]
base_url = "${url}"
requests_per_second = 1.0
settings = ${account}
secrets = { password = ${secret} }
[carriers.correios]
base_url = "${url}"
mode = "adaptive"
settings = { user = "demo" }
secrets = { password = ${secret} }
[carriers.olva]
base_url = "${url}"
secrets = { api_key = ${secret} }
[carriers.oca_pruebas]
profile = "oca"
base_url = "http://127.0.0.1:9"
settings = ${account}
secrets = { password = ${secret} }
[sinks.tienda]
type = "webhook"
url = "http://127.0.0.1:9/hooks"
secrets = ["file:${join(this.folder, "webhook")}"]
`);
    writeFileSync(join(this.folder, "webhook"), `whsec_${Buffer.alloc(32, 7).toString("base64")}`);
    this.daemon = this.run(REMITOD, ["--config", join(this.folder, "remitod.toml")], "remitod.log");
    await until("the daemon listens", () => existsSync(join(this.folder, "remitod.log")) && /listening address=/.test(this.log()));
    this.address = `http://${/listening address=(\S+)/.exec(this.log())[1]}`;
    this.insertOrders();
  }

  insertOrders() {
    const payload = (order) => JSON.stringify({
      sender: { name: "Tienda Demo", email: "tienda@example.com", address: { street: "Jr. Origen", number: "1", postcode: "1000", district: "Centro", province: "Centro" } },
      recipient: { first_name: "Persona", last_name: "De Prueba", address: { street: order % 11 === 0 ? "" : "Av. Demo", number: `${order}`, postcode: order % 7 === 0 ? "9999" : "1001", district: "Centro", province: "Centro" } },
      parcels: [{ weight_kg: 0.8, length_cm: 20, width_cm: 15, height_cm: 10 }],
    });
    const rows = [];
    for (let order = 1001; order <= 1030; ++order) {
      rows.push(`insert into remito_requests (request_key, order_number, carrier, payload) values ('K${order}', '${order}', 'oca', '${payload(order)}');`);
    }
    for (let n = 410000001; n <= 410000040; ++n) rows.push(`insert into shipments (order_number, carrier, remito) values ('c-${n}', 'correios', '${n}BR');`);
    for (let n = 5500001; n <= 5500025; ++n) rows.push(`insert into shipments (order_number, carrier, remito) values ('o-${n}', 'olva', '${n}');`);
    for (let n = 1; n <= 4; ++n) rows.push(`insert into shipments (order_number, carrier, remito) values ('p-${n}', 'oca_pruebas', '700${n}');`);
    this.sql(`begin; ${rows.join("\n")} commit;`);
  }

  // Days with new parcels, so that there is something to learn of when the carriers publish, and something open in the end.
  async liveFor(days) {
    for (let day = 1; day <= days; ++day) {
      await pause((24 * 3600 * 1000) / scale);
      const rows = [];
      for (let n = 0; n < 30; ++n) rows.push(`insert into shipments (order_number, carrier, remito) values ('c-${day}-${n}', 'correios', '${410000000 + day * 1000 + n}BR');`);
      for (let n = 0; n < 15; ++n) rows.push(`insert into shipments (order_number, carrier, remito) values ('o-${day}-${n}', 'olva', '${5500000 + day * 1000 + n}');`);
      this.sql(`begin; ${rows.join("\n")} commit;`);
    }
  }

  // What a hostile or unknown carrier would leave behind: words that no profile knows, and markup in them.
  addHostileWords(remito) {
    this.sql(`insert into unmapped_codes (carrier, code, text, seen, first_seen_at, last_seen_at)
      select 'olva', 'MOT-77', 'Cliente ausente <img src=x onerror=alert(1)>', 12, detected_at, detected_at from transitions limit 1;
      insert into tracking_events (shipment_id, event_key, code, text, status, reason, occurred_at, zone_source, date_only, resolved_by_rule, place, position, baseline, detected_at)
      select id, 'hostile', '</td><script>', '<img src=x onerror="document.title=1">', 'unmapped', '', accepted_at, 'profile', 0, 0, '<b>Lima</b>', 0, 0, accepted_at
      from shipments where remito = '${remito}' limit 1;`);
  }

  stopDaemon() {
    this.daemon.kill("SIGTERM");
    return new Promise((resolve) => this.daemon.once("exit", resolve));
  }
  stop() {
    for (const child of this.children) child.kill("SIGKILL");
  }
}
