/* A file of clients: read here, scored in slices, shown in short, given back with its scores. */
import { ask, askForKey } from "./api.js";
import { format, parse } from "./csv.js";
import { names } from "./form.js";
import { by, count, element, numeric, percent, row, verdict } from "./text.js";

const SLICE = 1000;
const SHOWN = 20;
const TRIES = 5;
const KNOWN = new Set([...names, "PAY_1"]);
const HEAD = "ID probability low high grade decision cluster_id cluster_name rfm_segment flags error".split(" ");
let clients = []; // {line, id, client, result}: result is a reply, or an error
let stop = null;
let fileName = "";

/* With semicolons between cells, a comma in a number is its decimal sign. */
function value(text, mark) {
  const plain = text.trim();
  return numeric(mark === ";" && /^-?\d+,\d+$/.test(plain) ? plain.replace(",", ".") : plain);
}

function read(content) {
  const { mark, records } = parse(content);
  const [head, ...rest] = records;
  const columns = head ? head.cells.map((cell) => cell.trim()) : [];
  const keys = columns.map((name) => name.toUpperCase());
  const twice = keys.find((key, i) => KNOWN.has(key) && keys.indexOf(key) < i);
  if (twice) throw new Error(`The column ${twice} is there twice.`);
  if (!keys.some((key) => KNOWN.has(key))) throw new Error("The first line names no column that the service knows.");
  if (rest.length === 0) throw new Error("The file holds no clients.");
  const made = rest.map(({ line, cells }) => {
    const entries = keys.map((key, i) => [key, value(cells[i] ?? "", mark)]);
    const client = Object.fromEntries(entries.filter(([key, cell]) => KNOWN.has(key) && cell !== ""));
    const error = `has ${cells.length} cells where the first line has ${keys.length}`;
    const result = cells.length === keys.length ? null : { error };
    return { line, id: (cells[keys.indexOf("ID")] ?? "").trim(), client, result };
  });
  return { made, left: columns.filter((_, i) => keys[i] !== "ID" && !KNOWN.has(keys[i])) };
}

function clear() {
  stop?.abort();
  stop = null;
  clients = [];
  by("batch-problem").textContent = by("batch-status").textContent = "";
  by("batch-result").hidden = by("progress").hidden = by("cancel").hidden = true;
  by("run").disabled = true;
}

async function choose() {
  clear();
  const [file] = by("file").files;
  if (!file) return;
  try {
    const { made, left } = read(await file.text());
    if (by("file").files[0] !== file) return; // another one was chosen meanwhile
    [clients, fileName] = [made, file.name];
    const note = left.length ? ` Left out: ${left.join(", ")}.` : "";
    by("batch-status").textContent = `${count(made.length)} client${made.length > 1 ? "s" : ""} found.${note}`;
    by("run").disabled = false;
  } catch (error) {
    by("batch-problem").textContent = error.message;
  }
}

/* A server that is busy for a moment is asked again. */
async function askPatiently(body, signal) {
  for (let tried = 1; ; tried += 1) {
    const answer = await ask("predict_batch", body, signal);
    if (![429, 503].includes(answer.status) || tried === TRIES) return answer;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

/* Scores what has no result yet; returns what stopped it, if anything did. */
async function scoreAll(signal) {
  const open = clients.filter(({ result }) => result === null);
  by("progress").max = open.length;
  for (let start = 0; start < open.length; start += SLICE) {
    by("progress").value = start;
    by("batch-status").textContent = `${count(start)} of ${count(open.length)} scored.`;
    const slice = open.slice(start, start + SLICE);
    const body = { clients: slice.map(({ client }) => client), on_error: "report", reasons: false };
    const { status, reply } = await askPatiently(body, signal);
    if (status === 401) askForKey(reply, run);
    if (status !== 200) return reply.error;
    reply.results.forEach((result, i) => { slice[i].result = result; });
  }
  return "";
}

async function run() {
  const own = new AbortController();
  stop = own;
  by("run").disabled = true;
  by("cancel").hidden = by("progress").hidden = false;
  by("cancel").focus();
  by("batch-problem").textContent = "";
  let problem = "";
  try {
    problem = await scoreAll(own.signal);
  } catch { // aborted
    problem = "Cancelled.";
  }
  if (stop !== own) return; // another file was chosen meanwhile
  const waited = document.activeElement === by("cancel"); // a hidden button would lose the focus
  by("cancel").hidden = by("progress").hidden = true;
  by("batch-problem").textContent = problem;
  const done = clients.filter(({ result }) => result !== null).length;
  by("run").disabled = done === clients.length;
  by("batch-status").textContent = `${count(done)} of ${count(clients.length)} done.`;
  if (done > 0) showResult();
  if (waited) by(done > 0 ? "download" : "run").focus();
}

function tally(rows, total) {
  return rows.map(([label, number]) => {
    const made = row(label, count(number), percent(number / total));
    made.style.setProperty("--share", `${(100 * number) / total}%`);
    return made;
  });
}

function showResult() {
  const done = clients.filter(({ result }) => result !== null);
  const failed = done.filter(({ result }) => "error" in result);
  const of = (key, wanted) => done.filter(({ result }) => result[key] === wanted).length;
  by("decisions").replaceChildren(...tally([
    [verdict("flag"), of("decision", "flag")],
    [verdict("clear"), of("decision", "clear")],
    ["Not scored", failed.length],
  ], done.length));
  by("grades").replaceChildren(...tally([..."ABCDEFGH"].map((grade) => [grade, of("grade", grade)]), done.length));
  by("failed").hidden = failed.length === 0;
  by("failed-title").textContent = `${count(failed.length)} row${failed.length > 1 ? "s" : ""} not scored`;
  by("failures").replaceChildren(...failed.slice(0, 200).map(({ line, result }) => element("li", `Line ${line}: ${result.error}`)));
  by("rows").replaceChildren(...clients.slice(0, SHOWN).map(tableRow));
  by("batch-result").hidden = false;
}

function tableRow({ line, id, result }) {
  if (result === null || "error" in result) {
    const made = row(String(line), id);
    const cell = element("td", result?.error ?? "not scored yet", "error");
    cell.colSpan = 7;
    made.append(cell);
    return made;
  }
  const { interval, cluster, rfm } = result;
  return row(
    String(line), id, percent(result.probability),
    interval ? `${percent(interval.low)} to ${percent(interval.high)}` : "",
    result.grade, verdict(result.decision), cluster.name, rfm.segment,
    result.flags.join(", ").replaceAll("_", " "),
  );
}

function fileRow({ id, result }) {
  if (result === null) return [id, ...Array(9).fill(""), "not scored"];
  if ("error" in result) return [id, ...Array(9).fill(""), result.error];
  const { interval, cluster, rfm } = result;
  return [
    id, result.probability, interval?.low, interval?.high, result.grade, result.decision,
    cluster.id, cluster.name, rfm.segment, result.flags.join(" "), "",
  ];
}

function download() {
  const blob = new Blob([format([HEAD, ...clients.map(fileRow)])], { type: "text/csv" });
  const link = element("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${fileName.replace(/\.\w+$/, "")}-scored.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

by("file").addEventListener("change", choose);
by("run").addEventListener("click", run);
by("cancel").addEventListener("click", () => stop?.abort());
by("download").addEventListener("click", download);
