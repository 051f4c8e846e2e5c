// Arguments: program, folder, seed. Exit 0: every transition arrived, in order, and nothing else did.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { dice } from "./dice.mjs";

const [program, folder, seed] = process.argv.slice(2);
const roll = dice(Number(seed));
const secret = "whsec_" + Buffer.from("thirty-two bytes of no secret at").toString("base64");
const accepted = join(folder, "accepted.jsonl");
const database = join(folder, "remitod.db");
const orders = 15, rounds = 40, perRound = 12;

function fail(message) {
  console.error(`seed ${seed}: ${message}`);
  console.error(readFileSync(join(folder, "remitod.log"), "utf8").split("\n").slice(-20).join("\n"));
  process.exit(1);
}
function sql(text) {
  return execFileSync("sqlite3", ["-json", "-cmd", ".timeout 10000", database, text], { encoding: "utf8" });
}
const rows = (query) => JSON.parse(sql(query) || "[]");
async function until(what, condition) {
  for (let i = 0; i < 1200; ++i) {
    if (condition()) return;
    await pause(50);
  }
  fail(`never came true: ${what}`);
}

// ------------------------------------------------------------------ the two programs

let receiver, port = 0, lives = 0, unverified = 0;
async function startReceiver(trouble) {
  receiver = spawn(process.execPath, [join(folder, "receive.mjs"), String(port), secret, accepted,
    String(Number(seed) * 1000 + ++lives), String(trouble)], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  receiver.stdout.on("data", (data) => {
    said += data;
    unverified += String(data).split("unverified").length - 1;
  });
  await until("receiver listens", () => said.includes("listening"));
  port = Number(/listening (\d+)/.exec(said)[1]);
}
let daemon;
const ended = (child) => child.exitCode !== null || child.signalCode !== null;
async function startDaemon() {
  daemon = spawn("sh", ["-c", 'exec "$0" --config "$1" 2>>"$2"', program, join(folder, "remitod.toml"),
    join(folder, "remitod.log")], { stdio: "ignore" });
  await until("daemon answers", () => {
    if (ended(daemon)) fail("the daemon ended");
    try {
      execFileSync(program, ["--config", join(folder, "remitod.toml"), "--status", "--json"], { stdio: "ignore" });
      return true;
    } catch (error) {
      return error.status === 1; // degraded is up
    }
  });
}
async function killed(child) {
  child.kill("SIGKILL");
  await until("killed", () => ended(child));
}
process.on("exit", () => {
  receiver?.kill("SIGKILL");
  daemon?.kill("SIGKILL");
});

// ------------------------------------------------------------------ trouble, then calm

await startReceiver(40);
writeFileSync(join(folder, "whsec"), secret);
const retries = ["100 ms", "200 ms", ...Array(47).fill("400 ms"), "1 s"];
writeFileSync(join(folder, "remitod.toml"), `
[database]
url = "sqlite:${database}"
[daemon]
control_socket = "${join(folder, "control.sock")}"
[sinks.shop]
type = "webhook"
url = "http://127.0.0.1:${port}/hook"
secrets = ["file:${join(folder, "whsec")}"]
timeout = "500 ms"
retries = ${JSON.stringify(retries)}
`);
await startDaemon();
let asked = 0;
for (let round = 0; round < rounds; ++round) {
  // An order whose carrier nobody knows is refused, which is a transition; then it may ask again. One that asks while
  // it is still waiting is refused as well, but that is none.
  let inserts = "begin immediate;";
  for (let i = 0; i < perRound; ++i)
    inserts += `insert into remito_requests (request_key, order_number, carrier) values ('${++asked}', '${roll(orders)}', 'nobody');`;
  sql(inserts + "commit;");
  await pause(roll(400));
  if (roll(4) === 0) {
    await killed(receiver);
    await pause(roll(300));
    await startReceiver(40);
  }
  if (roll(5) === 0) {
    await killed(daemon);
    await startDaemon();
  }
}
await killed(receiver);
await startReceiver(0);
await until("all is told", () => rows(`select (select count(*) from remito_requests where settled_at is null) +
  (select count(*) from transitions where seq is null) as n`)[0].n === 0);
await until("all is delivered", () => rows(`select (select max(seq) from transitions) = cursor_seq as done,
  (select count(*) from sink_letters) as letters from sinks`).every((row) => row.done === 1 && row.letters === 0));
execFileSync(program, ["--config", join(folder, "remitod.toml"), "--status"], { stdio: "ignore" });

// ------------------------------------------------------------------ what arrived is the table

if (unverified !== 0) fail(`${unverified} request(s) were not verified`);
const events = existsSync(accepted) ? readFileSync(accepted, "utf8").trim().split("\n").map((line) => JSON.parse(line)) : [];
const first = new Map();
for (const event of events) if (!first.has(event.id)) first.set(event.id, event);
const lastSeq = new Map();
for (const event of first.values()) {
  if ((lastSeq.get(event.partitionkey) ?? 0) >= event.data.seq) fail(`out of order at ${event.partitionkey}`);
  lastSeq.set(event.partitionkey, event.data.seq);
}
const table = rows(`select cast(id as text) as id, seq, subject, order_number, parcel_group, carrier, remito, cycle,
  from_status, to_status, reason, attempt, code, text, place from transitions order by seq`);
if (table.length !== first.size) fail(`${table.length} transitions, and ${first.size} arrived`);
for (const row of table) {
  const event = first.get(row.id) ?? fail(`transition ${row.id} is missing`);
  for (const [column, value] of Object.entries(row))
    if (column !== "id" && event.data[column] !== value) fail(`transition ${row.id}: ${column} differs`);
}
console.log(`seed ${seed}: ${table.length} transitions, ${events.length} accepted, ${lives} lives of the receiver, ` +
  `${lastSeq.size} keys in order, all verified`);
process.exit(0);
