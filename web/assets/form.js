/* The form: what it holds, and what the service says of it. All checks are the server's. */
import { by, numeric } from "./text.js";

export const form = by("client");
const fields = [...form.querySelectorAll("input[name], select[name]")];
export const names = fields.map((field) => field.name);

/* "1,200" and "−5" are numbers to a person. */
const plain = (text) => text.replace(/[\s,]/g, "").replace(/^[−–]/, "-");

export function readClient() {
  const client = {};
  for (const field of fields) {
    const text = field.value.trim();
    const number = numeric(plain(text));
    if (text !== "") client[field.name] = typeof number === "number" ? number : text;
  }
  return client;
}

export function fill(client) {
  for (const field of fields) {
    field.value = field.name in client ? String(client[field.name]) : "";
  }
}

/* Puts each message under its field and the focus on the first; returns how many have a field. */
export function showErrors(errors) {
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
  const bad = fields.filter((field) => field.hasAttribute("aria-invalid"));
  bad[0]?.focus();
  return bad.length;
}
