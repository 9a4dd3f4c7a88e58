// A whole app: connect, ask, show, take feedback, lose none. It runs as it is: `npm pack`, unpack the tarball into
// node_modules/@antispam-shield/client, and serve this folder. The server must allow its origin
// (SHIELD_API_CORS_ORIGINS).
import { Outbox, ShieldClient } from "./node_modules/@antispam-shield/client/dist/index.js";
import "./node_modules/@antispam-shield/client/dist/elements.js";

const find = (selector) => document.querySelector(selector);
const card = find("shield-result-card");
let client;
let outbox;

async function connect(server, token) {
  client = new ShieldClient({ baseUrl: server, token });
  const { subject } = await client.me(); // throws `Unauthenticated` for a token that does not hold
  localStorage.setItem("connected", JSON.stringify({ server, token, subject }));
  use(subject);
}

function use(subject) {
  outbox?.stop();
  outbox = new Outbox({ client, account: subject });
  outbox.start(); // sends what an earlier visit has left
  card.outbox = outbox;
  find("#connect").hidden = true;
  find("#ask").hidden = false;
}

find("#connect").addEventListener("submit", async (event) => {
  event.preventDefault();
  const server = find("#server").value;
  const given = find("#code").value.trim();
  find("#trouble").textContent = "";
  try {
    await connect(server, given.length > 12 ? given : await ShieldClient.pair(server, given));
  } catch (error) {
    find("#trouble").textContent = error.message;
  }
});

find("#ask").addEventListener("submit", async (event) => {
  event.preventDefault();
  await card.judge(client.scan("text", find("#message").value));
});

card.addEventListener("shield-sign-in", () => {
  find("#connect").hidden = false;
  find("#code").focus();
});

const kept = JSON.parse(localStorage.getItem("connected") ?? "null");
if (kept) {
  // Opened without a network too: what is written then waits in the outbox.
  client = new ShieldClient({ baseUrl: kept.server, token: kept.token });
  use(kept.subject);
}
