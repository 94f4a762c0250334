// What the page carries: words, a row per product, and a card per product, read when it is asked for.
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const words = read("page-data");
const rows = read("rows");

// Cards come after this script: while the file is still being read, one may be missing, and the last one be cut off.
const cardOf = (number) => {
  const element = document.getElementById(`card-${number}`);
  const whole = element && (element.nextElementSibling || document.readyState !== "loading");
  return whole ? JSON.parse(element.textContent) : null;
};

const found = (row, state) =>
  (!state.status || row.status === state.status) &&
  (!state.rule || row.codes.includes(state.rule)) &&
  Object.keys(words.groups).every((group) => !state[group] || row.groups[group] === state[group]) &&
  state.q.toLowerCase().split(/\s+/).every((word) => textOf(row).includes(word));

const texts = new Map();
const textOf = (row) => {
  if (!texts.has(row)) {
    const parts = [row.id, row.title, ...Object.values(row.groups), ...row.sequence, ...row.others];
    texts.set(row, parts.join(" ").toLowerCase());
  }
  return texts.get(row);
};

const ORDERS = {
  unlikely: (a, b) => (a.probability ?? -1) - (b.probability ?? -1),
  likely: (a, b) => (b.probability ?? -1) - (a.probability ?? -1),
  findings: (a, b) => b.codes.length - a.codes.length,
  title: (a, b) => a.title.localeCompare(b.title),
};

// The numbers of the products that the state of the page shows, in order.
const matching = (state) => {
  const numbers = [...rows.keys()].filter((number) => found(rows[number], state));
  const order = ORDERS[state.sort];
  return order ? numbers.sort((a, b) => order(rows[a], rows[b]) || a - b) : numbers;
};

// What a spreadsheet takes for a formula begins with an apostrophe.
const cell = (value) => {
  const text = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

const csvOf = (numbers) => {
  const groups = Object.keys(words.groups);
  const head = ["product_id", "title", ...groups, "status", "probability", "sequence", "not_chosen", "findings", "reason"];
  const lines = numbers.map((number) => {
    const row = rows[number];
    const values = [row.id, row.title, ...groups.map((group) => row.groups[group] ?? ""), row.status];
    values.push(row.probability === null ? "" : String(row.probability));
    values.push(row.sequence.join("|"), row.others.join("|"), row.codes.join("|"), row.reason);
    return values.map(cell).join(",");
  });
  return [head.join(","), ...lines, ""].join("\n");
};
