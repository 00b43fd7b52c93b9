/* Reads and writes CSV: quotes, CRLF, a byte-order mark, commas, semicolons or tabs. */

/* The separator that the first line has most of. */
function separator(text) {
  const head = text.slice(0, `${text}\n`.indexOf("\n"));
  const often = (mark) => head.split(mark).length;
  return [",", ";", "\t"].reduce((best, mark) => (often(mark) > often(best) ? mark : best));
}

/* Returns {mark, records}: cells as text, with the line each record begins on. Empty lines are no records. */
export function parse(content) {
  const text = content.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
  const mark = separator(text);
  const records = [];
  let [cells, cell, quoted, line, first] = [[], "", false, 1, 1];
  const endRecord = () => {
    cells.push(cell);
    if (cells.length > 1 || cell.trim() !== "") records.push({ line: first, cells });
    [cells, cell, first] = [[], "", line];
  };
  for (let i = 0; i < text.length; i += 1) {
    const sign = text[i];
    if (sign === "\n") line += 1;
    if (quoted && sign !== '"') cell += sign;
    else if (quoted && text[i + 1] === '"') {
      cell += sign;
      i += 1;
    } else if (sign === '"' && (quoted || cell.trim() === "")) {
      if (!quoted) cell = "";
      quoted = !quoted;
    } else if (sign === mark) {
      cells.push(cell);
      cell = "";
    } else if (sign === "\n") endRecord();
    else cell += sign;
  }
  if (quoted) throw new Error(`A quote that opens in line ${first} or after is never closed.`);
  endRecord();
  return { mark, records };
}

export function format(records) {
  const safe = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  return records.map((cells) => `${cells.map((cell) => safe(String(cell ?? ""))).join(",")}\r\n`).join("");
}
