/* Asks the service, and for its API key where it wants one. The key lives in this tab only. */
import { by } from "./text.js";

const STORE = "creditrisk-api-key";
let again = null;

export const keyed = () => sessionStorage.getItem(STORE) !== null;

/* Resolves to {status, reply}; a status of 0 is no answer at all. Rejects only when aborted. */
export async function ask(path, body, signal) {
  const headers = { "Content-Type": "application/json" };
  if (keyed()) headers["X-API-Key"] = sessionStorage.getItem(STORE);
  try {
    const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body), signal });
    return { status: response.status, reply: await response.json() };
  } catch (error) {
    if (signal?.aborted) throw error;
    return { status: 0, reply: { error: "The service does not answer. Is it running?", errors: [] } };
  }
}

/* Shows the field for the key; with a key, the action that was refused runs again. */
export function askForKey({ error, errors }, action) {
  again = action;
  by("key-form").hidden = false;
  by("key-error").textContent = errors[0]?.message ?? error;
  by("api-key").focus();
}

function useKey(event) {
  event.preventDefault();
  const key = by("api-key").value.trim();
  // A header holds Latin-1 only: what is outside it is no key of any service.
  if (/[^\x20-\xff]/.test(key)) {
    by("key-error").textContent = "the API key is missing or wrong";
    return;
  }
  if (key) sessionStorage.setItem(STORE, key);
  else sessionStorage.removeItem(STORE);
  by("key-error").textContent = "";
  again?.();
  again = null;
}

by("key-form").addEventListener("submit", useKey);
if (keyed()) {
  by("key-form").hidden = false;
  by("api-key").value = sessionStorage.getItem(STORE);
}
