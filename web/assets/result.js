/* The answer: gauge, interval, grade, reasons, flags, and the client among others. */
import { amount, by, count, element, percent, row, settings, signed, verdict } from "./text.js";

const GRADES = new Map((settings.grades ?? []).map((line) => [line.grade, line]));

function showGauge(reply) {
  const at = (share) => `${100 * share}%`;
  by("mark").setAttribute("cx", at(reply.probability));
  const { low, high } = reply.interval ?? { low: 0, high: 0 };
  by("interval-band").setAttribute("x", at(low));
  by("interval-band").setAttribute("width", at(high - low));
  for (const part of by("gauge").querySelectorAll("[data-grade]")) {
    part.classList.toggle("own", part.dataset.grade === reply.grade);
  }
}

/* The gauge's second mark: where the changed client of the what-if stands. */
export function markChanged(probability) {
  by("if-mark").setAttribute("visibility", probability === null ? "hidden" : "visible");
  if (probability !== null) by("if-mark").setAttribute("cx", `${100 * probability}%`);
}

function intervalText({ low, high, level }) {
  return `${percent(low)} to ${percent(high)} in ${percent(level, 0)} of refits: the uncertainty of the model, not of the outcome.`;
}

function gradeText(grade) {
  const line = GRADES.get(grade);
  if (!line?.n) return "";
  return `Grade ${grade}: ${percent(line.observed)} of ${count(line.n)} clients of this grade missed the payment, among clients the model had not seen.`;
}

function reasonLine({ text, contribution }, largest) {
  const raises = contribution > 0;
  const line = element("li", "", raises ? "raises" : "lowers");
  const bar = element("span", "", "bar");
  bar.style.setProperty("--length", `${(50 * Math.abs(contribution)) / largest}%`);
  const words = element("span", text, "text");
  words.append(element("span", raises ? ", raises the risk: " : ", lowers the risk: ", "visually-hidden"));
  line.append(words, element("span", signed(contribution), "small"), bar);
  return line;
}

function showReasons({ reasons, base, other, probability }) {
  const largest = Math.max(...reasons.map((reason) => Math.abs(reason.contribution)), 1e-9);
  by("reasons").replaceChildren(...reasons.map((reason) => reasonLine(reason, largest)));
  const logOdds = base + other + reasons.reduce((sum, reason) => sum + reason.contribution, 0);
  by("sum").textContent =
    `In log-odds: every client starts at ${signed(base)} (${percent(1 / (1 + Math.exp(-base)))}); these reasons ` +
    `and all else (${signed(other)}) lead to ${signed(logOdds)} (${percent(probability)}).`;
}

function showFlags(codes) {
  for (const line of by("flags").children) line.hidden = !codes.includes(line.dataset.flag);
  by("flags").hidden = codes.length === 0;
}

function showCluster(cluster) {
  by("cluster").textContent = cluster.name;
  by("cluster-note").textContent =
    `Group ${cluster.id}, confidence ${cluster.confidence.toFixed(2)} of 1` +
    (cluster.typical ? "." : "; farther from its middle than 99\u00a0% of its members.");
  for (const part of document.querySelectorAll("[data-cluster]")) {
    part.hidden = Number(part.dataset.cluster) !== cluster.id;
  }
  const map = by("map");
  if (!map) return;
  map.hidden = !cluster.position;
  if (map.hidden) return;
  const [x, y] = cluster.position;
  by("you").setAttribute("transform", `translate(${x} ${-y})`); // the map's vertical axis points up
  for (const part of map.querySelectorAll("[data-group]")) {
    part.classList.toggle("own", Number(part.dataset.group) === cluster.id);
  }
}

function showRfm(rfm) {
  by("segment").textContent = rfm.segment;
  const since = rfm.recency === 0 ? "in September" : `${rfm.recency} month${rfm.recency > 1 ? "s" : ""} ago`;
  by("rfm").tBodies[0].replaceChildren(
    row("Last spend", rfm.frequency === 0 ? "none" : since, `${rfm.recency_score}/5`),
    row("Months with spend", `${rfm.frequency} of 5`, `${rfm.frequency_score}/5`),
    row("Spent in five months", amount(rfm.monetary), `${rfm.monetary_score}/5`),
  );
}

export function showAnswer(reply) {
  by("empty").hidden = true;
  by("stale").hidden = true;
  by("answer").hidden = false;
  by("behaviour").hidden = false;
  const flagged = reply.decision === "flag";
  by("result").classList.toggle("flagged", flagged);
  by("probability").textContent = percent(reply.probability);
  by("grade").textContent = `Grade ${reply.grade}`;
  by("decision").textContent = verdict(reply.decision);
  by("meaning").textContent =
    `chance of missing the payment due next month; ${flagged ? "at or above" : "below"} ` +
    `the flag line of ${percent(reply.threshold)}.`;
  showGauge(reply);
  markChanged(null);
  by("interval").hidden = !reply.interval;
  by("interval").textContent = reply.interval ? intervalText(reply.interval) : "";
  by("grade-note").textContent = gradeText(reply.grade);
  by("grade-note").hidden = by("grade-note").textContent === "";
  showFlags(reply.flags);
  showReasons(reply);
  showCluster(reply.cluster);
  showRfm(reply.rfm);
  by("version").textContent = reply.model_version;
  const said = ["probability", "meaning", "decision", "interval", "grade-note"].map((id) => by(id).textContent);
  const warned = [...by("flags").children].filter((line) => !line.hidden).map((line) => line.textContent);
  by("spoken").textContent = [...said, ...warned].filter(Boolean).join(" ");
}

export function hideAnswer() {
  for (const id of ["answer", "behaviour", "what-if"]) by(id).hidden = true;
  by("empty").hidden = false;
  by("result").classList.remove("flagged");
}
