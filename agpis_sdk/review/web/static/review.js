// The review page: keys and buttons, and what they do to the product on it.

import { Marks, position } from "./marks.js";
import { Rejection } from "./rejection.js";
import { Sequence } from "./sequence.js";
import { goTo, newKey, post, say } from "./server.js";

const data = JSON.parse(document.getElementById("data").textContent);
const opened = performance.now();
const $ = (selector) => document.querySelector(selector);
const button = (name) => document.querySelector(`[data-do="${name}"]`);
const key = newKey();
let sending = false;
let ready = false;

const sequence = new Sequence($("#sequence"), $("#others"), refresh);
const marks = new Marks($("#sequence"), $("#marks"), () => rejection.codes.at(-1) || "", () => rejection.draft());
const rejection = new Rejection($("#rejection"), data, () => marks.all(), (image) => sequence.ids().indexOf(image), () => {
  if (rejection.codes.length) marks.adopt(rejection.codes[0]);
  refresh();
});
const rejecting = () => document.body.classList.contains("is-rejecting");
ready = true;
refresh();

function refresh() {
  if (!ready) return;
  const { edited } = sequence;
  const some = sequence.ids().length > 0;
  document.body.classList.toggle("is-edited", edited);
  document.body.classList.toggle("is-selecting", Boolean(sequence.selected));
  button("accept").disabled = !some;
  button("accept").querySelector(".label").textContent = edited ? "Accept the correction" : "Accept";
  button("reject").hidden = edited || !data.proposed.length;
  button("reset").hidden = !edited;
  button("unusable").hidden = data.proposed.length > 0 || edited;
  button("send").disabled = !rejection.complete;
  $("#count").textContent = $("#others").children.length;
  $("#hint").textContent = hint();
}

function hint() {
  if (sequence.selected) return "Click another image to put it here.";
  if (!sequence.ids().length) return "Click the image that comes first, then the next ones.";
  return "";
}

async function decide(verdict, more = {}) {
  if (sending) return;
  sending = true;
  document.body.classList.add("is-sending");
  const seconds = Math.round((performance.now() - opened) / 100) / 10;
  const said = { key, verdict, sequence: sequence.ids(), seconds, ...more };
  const left = await goTo(post(`/review/${data.item}/decision`, said));
  sending = left;
  document.body.classList.toggle("is-sending", left);
}

const actions = {
  accept: () => sequence.ids().length && decide(sequence.edited ? "corrected" : "accepted"),
  reject: () => {
    if (button("reject").hidden) return;
    setRejecting(true);
    rejection.input.focus();
  },
  send: () => {
    if (!rejection.complete) return;
    decide("rejected", { rules: rejection.codes, feedback: rejection.words.value.trim(), marks: marks.all() });
  },
  cancel: () => setRejecting(false),
  unusable: () => button("unusable").hidden || decide("unusable", { sequence: [] }),
  skip: () => decide("skipped", { sequence: data.proposed }),
  undo: () => goTo(post("/undo", {})),
  reset: () => sequence.reset(),
  left: () => sequence.move(-1),
  right: () => sequence.move(1),
  remove: () => sequence.remove(),
  opinion: showOpinion,
  help: () => ($("#help").open ? $("#help").close() : $("#help").showModal()),
};

function setRejecting(on) {
  sequence.select(null);
  marks.active = on;
  sequence.setDraggable(!on);
  document.body.classList.toggle("is-rejecting", on);
  $("#rejection").hidden = !on;
  $("#candidates").hidden = on;
  if (!on) {
    rejection.clear();
    marks.clear();
    document.activeElement.blur();
  }
  refresh();
}

async function showOpinion() {
  const place = $("#opinion");
  place.hidden = !place.hidden && place.childElementCount > 0;
  document.querySelectorAll(".box.found").forEach((box) => { box.hidden = place.hidden; });
  if (place.hidden || place.childElementCount) return;
  const response = await fetch(`/review/${data.item}/opinion`);
  if (!response.ok) return say("The model’s view could not be loaded.");
  const known = await response.json();
  const line = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
  const rows = known.findings.map((finding) => {
    for (const { image, box } of finding.places) {
      const tile = [...$("#sequence").children].find((one) => one.dataset.image === image);
      if (!tile || !box) continue;
      const found = Object.assign(document.createElement("div"), { className: "box found", title: finding.words });
      position(found, box);
      tile.querySelector(".boxes").append(found);
    }
    const row = document.createElement("li");
    row.append(line("b", finding.words), line("span", finding.message));
    return row;
  });
  const list = document.createElement("ul");
  list.append(...rows);
  const probability = known.probability ? `Acceptance probability (p^t) ${known.probability}` : "No acceptance probability";
  place.replaceChildren(line("h2", "The model’s view"), line("p", probability), line("q", known.feedback), list);
  place.hidden = false;
}

for (const [name, act] of Object.entries(actions)) button(name).addEventListener("click", () => act());
$("#rejection").addEventListener("submit", (event) => event.preventDefault());
rejection.words.addEventListener("input", refresh);
$("#draw").addEventListener("click", (event) => {
  marks.byFinger = !marks.byFinger;
  event.target.setAttribute("aria-pressed", marks.byFinger);
  document.body.classList.toggle("is-drawing", marks.byFinger);
});

for (const list of [$("#sequence"), $("#others")]) {
  list.addEventListener("click", (event) => {
    const image = event.target.closest(".image");
    if (!image) return;
    if (!rejecting()) sequence.choose(image);
    else if (event.pointerType === "touch" && !marks.byFinger && list.id === "sequence") marks.toggle(image.dataset.image);
  });
  list.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    const image = event.target.closest(".image");
    if (!image || rejecting()) return;
    event.preventDefault();
    event.stopPropagation();
    sequence.choose(image);
  });
}

const KEYS = {
  a: "accept", r: "reject", n: "unusable", s: "skip", u: "undo", m: "opinion", x: "remove", "?": "help",
  delete: "remove", arrowleft: "left", arrowright: "right",
};

document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|TEXTAREA)$/.test(event.target.tagName);
  const pressed = event.key.toLowerCase();
  if ($("#help").open) {
    if (pressed === "?") $("#help").close();
    return;
  }
  if (pressed === "escape") return leave(event);
  if ((event.ctrlKey || event.metaKey) && pressed === "z" && !typing) return actions.undo();
  if (pressed === "enter" && rejecting() && (!typing || event.ctrlKey || event.metaKey)) {
    if (event.target.tagName === "BUTTON") return;
    event.preventDefault();
    return actions.send();
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^[1-9]$/.test(pressed)) return point(Number(pressed) - 1, event);
  const name = KEYS[pressed];
  if (!name || (rejecting() && !["help", "opinion"].includes(name))) return;
  event.preventDefault();
  actions[name]();
});

function leave(event) {
  if (rejecting()) {
    event.preventDefault();
    actions.cancel();
  } else if (sequence.selected) sequence.select(null);
  else if (sequence.edited) sequence.reset();
}

function point(place, event) {
  const image = sequence.at(place);
  if (!image) return;
  event.preventDefault();
  if (rejecting()) marks.toggle(image.dataset.image);
  else sequence.select(image);
}

document.body.dataset.ready = "";

// The pictures of the next product, while this one is looked at.
addEventListener("load", () => {
  for (const source of JSON.parse($("#ahead").textContent)) new Image().src = source;
});
