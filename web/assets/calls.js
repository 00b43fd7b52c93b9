/* The call that is on screen, to copy: as curl and as Python. */
import { keyed } from "./api.js";
import { by } from "./text.js";

const KEY = "YOUR-API-KEY";

function curl(url, client) {
  const key = keyed() ? ` \\\n  -H 'X-API-Key: ${KEY}'` : "";
  return `curl -s ${url} \\\n  -H 'Content-Type: application/json'${key} \\\n  -d '${JSON.stringify(client, null, 1)}'`;
}

function python(url, client) {
  const key = keyed() ? `, "X-API-Key": "${KEY}"` : "";
  return `import json
from urllib.request import Request, urlopen

client = ${JSON.stringify(client, null, 4)}
request = Request(
    "${url}",
    data=json.dumps(client).encode(),
    headers={"Content-Type": "application/json"${key}},
)
with urlopen(request) as reply:
    print(json.load(reply))`;
}

export function showCalls(client) {
  const url = new URL("predict", document.baseURI).href;
  by("curl").textContent = curl(url, client);
  by("python").textContent = python(url, client);
  for (const button of document.querySelectorAll("[data-copy]")) button.textContent = "Copy";
}

async function copy({ currentTarget: button }) {
  const code = by(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "Copied";
  } catch { // no clipboard outside https and localhost: select it for the keyboard
    getSelection().selectAllChildren(code);
    button.textContent = "Selected";
  }
}

for (const button of document.querySelectorAll("[data-copy]")) button.addEventListener("click", copy);
