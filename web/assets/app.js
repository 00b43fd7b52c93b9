/* The page at "/": reads the form, asks the service, shows its answer or its messages.
   All checks are the server's; nothing about a client is stored. */
"use strict";

const form = document.getElementById("client");
const by = (id) => document.getElementById(id);
const fields = [...form.querySelectorAll("input[name], select[name]")];
const percent = (share) => `${(100 * share).toFixed(1)}\u00a0%`;
const amount = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
let latest = 0;

/* A number where the text is one ("1,200" too); else the text, for the server to refuse. */
function parsed(text) {
  const plain = text.replace(/[\s,]/g, "").replace(/^[−–]/, "-");
  return /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : text;
}

function readClient() {
  const client = {};
  for (const field of fields) {
    if (field.value.trim() !== "") client[field.name] = parsed(field.value.trim());
  }
  return client;
}

function showErrors(errors) {
  for (const field of fields) {
    field.removeAttribute("aria-invalid");
    by(`${field.id}-error`).textContent = "";
  }
  for (const { field: name, message } of errors) {
    const field = fields.find((candidate) => candidate.name === name);
    if (!field) continue;
    field.setAttribute("aria-invalid", "true");
    by(`${field.id}-error`).textContent = message;
  }
  const first = fields.find((field) => field.hasAttribute("aria-invalid"));
  if (first) first.focus();
}

function showProblem(text) {
  by("problem").textContent = text;
}

function item(label, value) {
  const entry = document.createElement("li");
  entry.textContent = `${label} `;
  const score = document.createElement("b");
  score.textContent = value;
  entry.append(score);
  return entry;
}

function curlCommand(client) {
  const key = by("api-key").value ? " \\\n  -H 'X-API-Key: …'" : "";
  const body = JSON.stringify(client, null, 1).replace(/'/g, "\\u0027");
  const url = new URL("predict", document.baseURI).href;
  return `curl -s ${url} \\\n  -H 'Content-Type: application/json'${key} \\\n  -d '${body}'`;
}

function showFlags(codes) {
  for (const line of by("flags").children) line.hidden = !codes.includes(line.dataset.flag);
  by("flags").hidden = codes.length === 0;
}

/* The map's points came with the page; its vertical axis points up. */
function showOnMap(cluster) {
  const map = by("map");
  if (!map) return;
  map.hidden = !cluster.position;
  if (map.hidden) return;
  const [x, y] = cluster.position;
  by("you").setAttribute("transform", `translate(${x} ${-y})`);
  for (const part of map.querySelectorAll("[data-group]")) {
    part.classList.toggle("own", Number(part.dataset.group) === cluster.id);
  }
}

function showAnswer(reply, client) {
  const flagged = reply.decision === "flag";
  by("empty").hidden = true;
  by("stale").hidden = true;
  by("answer").hidden = false;
  by("result").classList.toggle("flagged", flagged);
  by("probability").textContent = percent(reply.probability);
  by("decision").textContent = flagged ? "Flag for review" : "Clear";
  by("meaning").textContent =
    `chance of missing the payment due next month; ${flagged ? "at or above" : "below"} ` +
    `the flag line of ${percent(reply.threshold)}.`;
  by("gauge").style.setProperty("--probability", `${100 * reply.probability}%`);
  by("gauge").style.setProperty("--threshold", `${100 * reply.threshold}%`);
  by("mark-label").textContent = `flag line ${percent(reply.threshold)}`;
  by("cluster").textContent = reply.cluster.name;
  by("cluster-note").textContent =
    `group ${reply.cluster.id}, confidence ${reply.cluster.confidence.toFixed(2)} of 1`;
  showFlags(reply.flags);
  showOnMap(reply.cluster);
  const rfm = reply.rfm;
  by("segment").textContent = rfm.segment;
  by("rfm").replaceChildren(
    item("Recency", `${rfm.recency_score}/5`),
    item("Frequency", `${rfm.frequency_score}/5`),
    item("Monetary", `${rfm.monetary_score}/5`),
    item("Spent in five months", `NT$ ${amount.format(rfm.monetary)}`),
  );
  by("version").textContent = reply.model_version;
  by("curl").textContent = curlCommand(client);
  by("copy").textContent = "Copy";
  by("spoken").textContent =
    `${percent(reply.probability)} ${by("meaning").textContent} ${by("decision").textContent}. ` +
    `Behaves like: ${reply.cluster.name}. Card use: ${rfm.segment}. ` +
    [...by("flags").children].filter((line) => !line.hidden).map((line) => line.textContent).join(" ");
}

async function ask(client) {
  const headers = { "Content-Type": "application/json" };
  if (by("api-key").value) headers["X-API-Key"] = by("api-key").value;
  const response = await fetch("predict", {
    method: "POST",
    headers,
    body: JSON.stringify(client),
  });
  return { status: response.status, reply: await response.json() };
}

async function score(event) {
  event.preventDefault();
  const turn = ++latest;
  const client = readClient();
  by("submit").setAttribute("aria-busy", "true");
  let outcome;
  try {
    outcome = await ask(client);
  } catch {
    outcome = { status: 0, reply: { error: "The service does not answer. Is it running?", errors: [] } };
  }
  if (turn !== latest) return; // a later click has taken over
  by("submit").removeAttribute("aria-busy");
  const { status, reply } = outcome;
  if (status === 200) {
    showErrors([]);
    showProblem("");
    showAnswer(reply, client);
    if (window.matchMedia("(max-width: 62rem)").matches) {
      by("result").scrollIntoView({ block: "start" });
    }
    return;
  }
  const errors = reply.errors ?? [];
  const shown = errors.filter((e) => fields.some((field) => field.name === e.field));
  if (status === 401) by("key-field").hidden = false;
  showErrors(errors);
  if (status === 401) by("api-key").focus();
  showProblem(
    shown.length > 0
      ? `${shown.length === 1 ? "One field needs" : `${shown.length} fields need`} attention.`
      : reply.error,
  );
  by("stale").hidden = by("answer").hidden;
}

function fill(client) {
  for (const field of fields) {
    field.value = field.name in client ? String(client[field.name]) : "";
  }
  changed();
  showErrors([]);
  showProblem("");
}

function changed() {
  by("stale").hidden = by("answer").hidden;
}

async function loadExamples() {
  const examples = await (await fetch("assets/examples.json")).json();
  for (const { name, client } of examples) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.addEventListener("click", () => {
      fill(client);
      form.requestSubmit();
    });
    by("examples").append(button);
  }
}

async function copyCurl() {
  try {
    await navigator.clipboard.writeText(by("curl").textContent);
    by("copy").textContent = "Copied";
  } catch { // no clipboard outside https and localhost: select it for the keyboard
    getSelection().selectAllChildren(by("curl"));
    by("copy").textContent = "Selected";
  }
}

form.addEventListener("submit", score);
form.addEventListener("input", changed);
form.addEventListener("reset", () => {
  latest += 1;
  by("submit").removeAttribute("aria-busy");
  showErrors([]);
  showProblem("");
  by("answer").hidden = true;
  by("empty").hidden = false;
  by("result").classList.remove("flagged");
});
by("copy").addEventListener("click", copyCurl);
loadExamples();
