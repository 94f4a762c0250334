// Accept and reject without a server: decisions stay in this page until they are saved as reviews.jsonl, which `agpis train` reads.
const decisions = new Map(); // the number of a product → what was decided: { accepted, rule, words }
let unsaved = false;
const saveButton = document.getElementById("save-reviews");

// What the card found on its sequence is the likeliest reason.
const likeliestRule = (card) => {
  const found = card.findings.find((finding) => words.offered[finding.code] && finding.images.some((id) => card.sequence.includes(id)));
  return found?.code ?? "";
};

const reviewElement = (number, card) => {
  const decided = decisions.get(number);
  const rule = h("select", { "aria-label": "Rule", onchange: (event) => change({ rule: event.target.value }) });
  const inWords = h("input", { "aria-label": "In words", placeholder: "In words", maxlength: 2000, dir: "auto", oninput: (event) => change({ words: event.target.value }) });
  const why = h("span", { class: "why" }, rule, inWords);
  const buttons = { true: plainButton("Accept", () => decide(true)), false: plainButton("Reject", () => decide(false)) };
  const fillRules = () => {
    const options = Object.entries(words.offered).map(([code, name]) => h("option", { value: code }, `${name} (${code})`));
    rule.append(h("option", { value: "" }, "Which rule?"), ...options);
  };

  const show = () => {
    const now = decisions.get(number);
    for (const [accepted, button] of Object.entries(buttons)) button.setAttribute("aria-pressed", String(String(now?.accepted) === accepted));
    why.hidden = now?.accepted !== false;
    if (!why.hidden && !rule.options.length) fillRules();
    rule.value = now?.rule ?? "";
    why.classList.toggle("missing", now?.accepted === false && !isComplete(now));
  };
  const keep = (decision) => {
    if (decision) decisions.set(number, decision);
    else decisions.delete(number);
    unsaved = decisions.size > 0;
    show();
    countReviews();
  };
  // The same button once more takes the decision back.
  const decide = (accepted) => {
    const again = decisions.get(number)?.accepted === accepted;
    inWords.value = "";
    keep(again ? null : { accepted, rule: accepted ? "" : likeliestRule(card), words: "" });
  };
  const change = (changes) => keep({ ...decisions.get(number), ...changes });

  inWords.value = decided?.words ?? "";
  show();
  return h("div", { class: "review", role: "group", "aria-label": "Your decision" }, Object.values(buttons), why);
};

const isComplete = (decision) => decision.accepted || decision.rule !== "" || decision.words.trim() !== "";
const completed = () => [...decisions].filter(([, decision]) => isComplete(decision)).sort(([a], [b]) => a - b);

const countReviews = () => {
  const open = decisions.size - completed().length;
  saveButton.hidden = decisions.size === 0;
  saveButton.disabled = open === decisions.size;
  saveButton.textContent = `Save ${count(completed().length, "review")}`;
  saveButton.title = open ? `${count(open, "rejection")} without a rule or a word will be left out` : "";
};

// One line of reviews.jsonl.
const reviewOf = (number, { accepted, rule, words: said }) => {
  const row = rows[number];
  const { category, ...attributes } = row.groups;
  const images = cardOf(number).pictures.map(({ id, uri }) => ({ id, uri }));
  const review = { product: { id: row.id, title: row.title, category: category ?? "", attributes, images }, sequence: row.sequence };
  if (accepted) return { ...review, decision: "accepted", feedback: "yes" };
  return { ...review, decision: "rejected", feedback: said.trim() || words.offered[rule], rules: rule ? [rule] : [] };
};

const saveReviews = () => {
  const lines = completed().map(([number, decision]) => `${JSON.stringify(reviewOf(number, decision))}\n`);
  saveFile("reviews.jsonl", "application/jsonl", lines);
  unsaved = false;
};

saveButton.addEventListener("click", saveReviews);
window.addEventListener("beforeunload", (event) => unsaved && event.preventDefault());
