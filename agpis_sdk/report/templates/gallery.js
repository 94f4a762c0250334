// Filters, order and pages. The state of the page is in its address, so that any view of it can be sent as a link.
const PAGE = 24;
const PRINTED = 400;
const form = document.querySelector(".filter");
const list = document.getElementById("cards");
const KEYS = ["status", "rule", "q", "sort", ...Object.keys(words.groups)];
const NONE = Object.fromEntries(KEYS.map((key) => [key, ""]));
let state = { ...NONE };
let page = 0;
let numbers = [];

const show = (shown) => {
  const cards = shown.map((number) => {
    const card = cardOf(number);
    return card ? cardElement(number, card) : null;
  });
  if (cards.includes(null) && document.readyState === "loading") {
    setTimeout(render, 50); // the file is still being read
    if (cards[0] === null) return list.replaceChildren(h("p", { class: "note" }, "Reading the products …"));
  }
  list.replaceChildren(...cards.filter(Boolean));
};

const render = () => {
  const pages = Math.max(1, Math.ceil(numbers.length / PAGE));
  page = Math.min(page, pages - 1);
  show(numbers.slice(page * PAGE, (page + 1) * PAGE));
  const filtered = KEYS.some((key) => key !== "sort" && state[key]);
  document.getElementById("matches").textContent = numbers.length ? `${filtered ? `${numbers.length.toLocaleString("en")} of ` : ""}${count(rows.length, "product")}` : "No product matches the filter.";
  document.getElementById("groups").textContent = Object.keys(words.groups).filter((group) => state[group]).map((group) => `· ${words.groups[group]}: ${state[group]}`).join(" ");
  document.getElementById("clear").hidden = !filtered;
  document.querySelector(".pager").hidden = pages === 1;
  document.getElementById("page").textContent = `Page ${page + 1} of ${pages.toLocaleString("en")}`;
  document.getElementById("previous").disabled = page === 0;
  document.getElementById("next").disabled = page === pages - 1;
  for (const tab of form.querySelectorAll("[data-status]")) tab.setAttribute("aria-pressed", String(tab.dataset.status === state.status));
  for (const name of ["q", "rule", "sort"]) if (form.elements[name].value !== state[name]) form.elements[name].value = state[name];
};

const remember = () => {
  const kept = KEYS.filter((key) => state[key]).map((key) => [key, state[key]]);
  if (page) kept.push(["page", page + 1]);
  history.replaceState(null, "", `#${new URLSearchParams(kept)}`);
};

const choose = (changes) => {
  state = { ...state, ...changes };
  page = 0;
  numbers = matching(state);
  remember();
  render();
};

const turn = (by) => {
  page += by;
  remember();
  render();
  document.getElementById("gallery").scrollIntoView();
  list.firstElementChild?.focus({ preventScroll: true });
};

// The address names a view of the page, or one product.
const follow = () => {
  const named = new URLSearchParams(location.hash.slice(1));
  const wanted = rows.findIndex((row) => row.id === named.get("product"));
  state = { ...NONE, ...Object.fromEntries(KEYS.map((key) => [key, wanted < 0 ? (named.get(key) ?? "") : ""])) };
  numbers = matching(state);
  page = wanted < 0 ? Math.max(0, (Number.parseInt(named.get("page"), 10) || 1) - 1) : Math.floor(wanted / PAGE);
  render();
  if (wanted >= 0) reveal(wanted);
  else if (KEYS.some((key) => state[key])) document.getElementById("gallery").scrollIntoView();
};

const reveal = (number) => {
  const card = document.getElementById(`product-${number}`);
  if (!card) return setTimeout(reveal, 50, number);
  card.scrollIntoView();
  card.focus({ preventScroll: true });
};

const saveCsv = () => saveFile("products.csv", "text/csv", ["\ufeff", csvOf(numbers)]);

let waiting = 0;
form.elements.q.addEventListener("input", (event) => {
  clearTimeout(waiting);
  waiting = setTimeout(() => choose({ q: event.target.value }), 120);
});
for (const name of ["rule", "sort"]) form.elements[name].addEventListener("change", (event) => choose({ [name]: event.target.value }));
for (const tab of form.querySelectorAll("[data-status]")) tab.addEventListener("click", () => choose({ status: tab.dataset.status }));
form.addEventListener("submit", (event) => event.preventDefault());
document.getElementById("csv").addEventListener("click", saveCsv);
document.getElementById("clear").addEventListener("click", () => choose({ ...NONE, sort: state.sort }));
document.getElementById("previous").addEventListener("click", () => turn(-1));
document.getElementById("next").addEventListener("click", () => turn(1));
window.addEventListener("hashchange", () => /=/.test(location.hash) && follow());
window.addEventListener("beforeprint", () => show(numbers.slice(0, PRINTED)));
window.addEventListener("afterprint", render);
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName) || viewer.open) return;
  event.preventDefault();
  form.elements.q.focus();
});

form.hidden = false;
follow();
