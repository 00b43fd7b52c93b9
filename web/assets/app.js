/* The page at "/": the form asks, the service answers. Nothing about a client is stored. */
import { ask, askForKey } from "./api.js";
import "./batch.js";
import { showCalls } from "./calls.js";
import { fill, form, readClient, showErrors } from "./form.js";
import { hideAnswer, showAnswer } from "./result.js";
import { by, element } from "./text.js";
import { startWhatIf } from "./whatif.js";

const NARROW = window.matchMedia("(max-width: 62rem)");
let latest = 0;

function tell(errors, problem) {
  const shown = showErrors(errors);
  const fields = shown === 1 ? "One field needs attention." : `${shown} fields need attention.`;
  by("problem").textContent = shown > 0 ? fields : problem;
}

async function score(event) {
  event.preventDefault();
  latest += 1;
  const turn = latest;
  const client = readClient();
  by("submit").setAttribute("aria-busy", "true");
  const { status, reply } = await ask("predict", client);
  if (turn !== latest) return; // a later click has taken over
  by("submit").removeAttribute("aria-busy");
  tell(status === 200 ? [] : reply.errors ?? [], status === 200 ? "" : reply.error);
  if (status === 401) askForKey(reply, () => form.requestSubmit());
  if (status !== 200) {
    changed();
    return;
  }
  showAnswer(reply);
  showCalls(client);
  startWhatIf(client, reply);
  if (NARROW.matches) by("result").scrollIntoView({ block: "start" });
}

function changed() {
  by("stale").hidden = by("answer").hidden;
}

async function loadExamples() {
  const examples = await (await fetch("assets/examples.json")).json();
  for (const { name, client } of examples) {
    const button = element("button", name);
    button.type = "button";
    button.addEventListener("click", () => {
      fill(client);
      form.requestSubmit();
    });
    by("examples").append(button);
  }
}

form.addEventListener("submit", score);
form.addEventListener("input", changed);
form.addEventListener("reset", () => {
  latest += 1;
  by("submit").removeAttribute("aria-busy");
  tell([], "");
  hideAnswer();
});
// A panel taller than the window sticks by its lower edge, so that all of it can be read.
new ResizeObserver(([{ target }]) => target.style.setProperty("--height", `${target.offsetHeight}px`)).observe(by("result"));
loadExamples();
