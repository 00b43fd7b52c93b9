/* Small things that every part of the page needs: elements, numbers in words, numbers out of text. */
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export const by = (id) => document.getElementById(id);
export const settings = JSON.parse(document.body.dataset.settings);

export const count = (number) => whole.format(number).replace("-", "−");
export const amount = (number) => `NT$\u00a0${count(number)}`;
export const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)}\u00a0%`;
export const signed = (number, digits = 2) =>
  `${number < 0 ? "−" : "+"}${Math.abs(number).toFixed(digits)}`;
export const verdict = (decision) => (decision === "flag" ? "Flag for review" : "Clear");

/* A number where the text is one; else the text, for the server to refuse. */
export function numeric(text) {
  return /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : text;
}

export function element(tag, text = "", className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

/* A table row: the first text heads it. */
export function row(head, ...cells) {
  const made = element("tr");
  const first = element("th", head);
  first.scope = "row";
  made.append(first, ...cells.map((cell) => element("td", cell)));
  return made;
}
