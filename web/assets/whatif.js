/* What if: controls that score a changed client as they move. The form keeps its values. */
import { ask, askForKey } from "./api.js";
import { fill, form } from "./form.js";
import { markChanged } from "./result.js";
import { amount, by, percent, settings, signed, verdict } from "./text.js";

const controls = [...document.querySelectorAll("#what-if [data-field]")];
const BILLS = [1, 2, 3, 4, 5, 6].map((month) => `BILL_AMT${month}`);
let scored = null; // {client, reply}: what the form was scored with
let touched = {}; // control → value, of the controls that were moved; a new object after each reset
let busy = false;
let waiting = false;

function changedClient() {
  const { bills, ...moved } = touched;
  const client = { ...scored.client };
  if (bills !== undefined) {
    for (const name of BILLS) client[name] = Math.round((client[name] * bills) / 100);
  }
  return { ...client, ...moved };
}

/* Sliders that suit this client, within what the training clients had. */
function bounds(name) {
  const { client } = scored;
  const [least, most] = settings.ranges?.[name] ?? [-Infinity, Infinity];
  const wanted = {
    LIMIT_BAL: [10_000, Math.max(500_000, 2 * client.LIMIT_BAL)],
    BILL_AMT1: [Math.min(0, client.BILL_AMT1), Math.max(1.2 * client.LIMIT_BAL, client.BILL_AMT1)],
    PAY_AMT1: [0, Math.max(client.BILL_AMT2, client.LIMIT_BAL / 2, client.PAY_AMT1)],
  }[name];
  const held = (value) => Math.min(Math.max(value, least), most);
  return [Math.min(held(wanted[0]), client[name]), Math.max(held(wanted[1]), client[name])];
}

function arrange(control) {
  const name = control.dataset.field;
  if (control.type === "range") {
    const [least, most] = name === "bills" ? [0, 200] : bounds(name);
    const step = name === "bills" ? 5 : 10 ** Math.max(Math.floor(Math.log10((most - least) / 50)), 0);
    Object.assign(control, { min: Math.floor(least / step) * step, max: Math.ceil(most / step) * step, step });
  }
  control.value = name === "bills" ? 100 : scored.client[name];
}

/* What a slider stands for: its own value once moved, the client's until then. */
function label(client) {
  for (const control of controls.filter(({ type }) => type === "range")) {
    const name = control.dataset.field;
    let text = name === "bills" ? "" : amount(client[name]);
    if (name === "bills") {
      const used = BILLS.reduce((sum, bill) => sum + client[bill], 0) / BILLS.length / client.LIMIT_BAL;
      text = `× ${((touched.bills ?? 100) / 100).toFixed(2)}, ${percent(used, 0).replace("-", "−")} of the limit`;
    }
    by(`if-${name}-shown`).textContent = text;
    control.setAttribute("aria-valuetext", text);
  }
}

function show(reply) {
  const before = scored.reply;
  const moved = Object.keys(touched).length > 0;
  const points = 100 * (reply.probability - before.probability);
  const grade = reply.grade === before.grade ? `grade ${reply.grade}` : `grade ${before.grade} → ${reply.grade}`;
  by("if-before").textContent = percent(before.probability);
  by("if-after").textContent = percent(reply.probability);
  by("if-note").textContent = moved
    ? `${signed(points, 1)} points; ${grade}; ${verdict(reply.decision)}.`
    : "As scored. Nothing is changed yet.";
  by("what-if").classList.toggle("worse", moved && points > 0);
  by("what-if").classList.toggle("better", moved && points < 0);
  markChanged(moved ? reply.probability : null);
}

/* One request at a time; of the values that come meanwhile the last one wins. */
async function rescore() {
  waiting = busy;
  if (busy) return;
  busy = true;
  do {
    waiting = false;
    const asked = touched;
    const { status, reply } = await ask("predict", changedClient());
    if (asked !== touched) continue; // reset, or another client, meanwhile
    by("if-problem").textContent = status === 200 ? "" : reply.error;
    if (status === 200) show(reply);
    if (status === 401) askForKey(reply, rescore);
  } while (waiting);
  busy = false;
}

function moved({ currentTarget: control }) {
  touched[control.dataset.field] = Number(control.value);
  label(changedClient());
  rescore();
}

function reset() {
  touched = {};
  controls.forEach(arrange);
  label(scored.client);
  by("if-problem").textContent = "";
  show(scored.reply);
}

export function startWhatIf(client, reply) {
  scored = { client, reply };
  by("what-if").hidden = false;
  reset();
}

for (const control of controls) {
  control.addEventListener("input", moved);
  // Said once a control rests, not for each place it passed.
  control.addEventListener("change", () => {
    by("if-spoken").textContent = `${by("if-after").textContent}. ${by("if-note").textContent}`;
  });
}
by("if-reset").addEventListener("click", reset);
by("if-use").addEventListener("click", () => {
  fill(changedClient());
  form.requestSubmit();
});
