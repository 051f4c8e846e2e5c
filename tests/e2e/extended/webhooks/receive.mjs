// A receiver as a shop might have it: verifies, writes down, answers; and in between fails in every way there is.
// Arguments: port (0: any), secret, file of what was accepted, seed, percent of trouble.
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";
import { dice } from "./dice.mjs";

const [port, secret, accepted, seed, trouble] = process.argv.slice(2);
const webhook = new Webhook(secret);
const roll = dice(Number(seed));

createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks).toString("utf8");
    let event;
    try {
      event = webhook.verify(body, request.headers);
    } catch (error) {
      console.log(`unverified ${error.message}`);
      return response.writeHead(400).end();
    }
    const fault = roll(100) < Number(trouble) ? roll(5) : -1;
    if (fault === 0) return response.writeHead(500).end("broken");
    if (fault === 1) return request.socket.destroy();
    if (fault === 2) return; // hangs
    if (fault === 3) return response.writeHead(503, { "retry-after": "1" }).end();
    appendFileSync(accepted, JSON.stringify(event) + "\n");
    if (fault === 4) return request.socket.destroy(); // accepted, but the answer is lost
    response.writeHead(204).end();
  });
}).listen(Number(port), "127.0.0.1", function () {
  console.log(`listening ${this.address().port}`);
});
