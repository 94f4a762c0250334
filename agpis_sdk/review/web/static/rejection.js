// Why a sequence is rejected: rules by typing, the model's guesses first, and words that begin as a draft.

const PLACES = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"];
const SHOWN = 7;

export class Rejection {
  constructor(form, data, marksOf, placeOf, changed) {
    this.form = form;
    this.data = data;
    this.marksOf = marksOf;
    this.placeOf = placeOf;
    this.changed = changed;
    this.byCode = new Map(data.rules.map((rule) => [rule.code, rule]));
    this.codes = [];
    this.highlighted = 0;
    this.input = form.querySelector("#rule");
    this.options = form.querySelector("#rules");
    this.words = form.querySelector("#words");
    this.input.addEventListener("input", () => { this.highlighted = 0; this.drawOptions(); });
    this.input.addEventListener("keydown", (event) => this.type(event));
    this.words.addEventListener("input", () => { this.written = true; });
    this.clear();
  }

  clear() {
    this.codes = [];
    this.written = false;
    this.words.value = "";
    this.input.value = "";
    this.draw();
  }

  get complete() {
    return this.codes.length > 0 || this.words.value.trim() !== "";
  }

  matches() {
    const typed = this.input.value.trim().toLowerCase();
    const open = this.data.rules.filter((rule) => !this.codes.includes(rule.code));
    if (!typed) {
      const guesses = this.data.guesses.map((code) => this.byCode.get(code)).filter((rule) => open.includes(rule));
      return [...guesses, ...open.filter((rule) => !guesses.includes(rule))].slice(0, SHOWN);
    }
    const parts = typed.split(/[\s-]+/);
    const scored = open.map((rule) => [rule, closeness(rule, typed, parts)]).filter(([, score]) => score > 0);
    return scored.sort((a, b) => b[1] - a[1]).map(([rule]) => rule).slice(0, SHOWN);
  }

  type(event) {
    const shown = this.options.children.length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      this.highlighted = (this.highlighted + (event.key === "ArrowDown" ? 1 : shown - 1)) % Math.max(1, shown);
      this.drawOptions();
    } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      event.stopPropagation();
      const rule = this.matches()[this.highlighted];
      if (rule) this.add(rule.code);
    } else if (event.key === "Backspace" && !this.input.value && this.codes.length) {
      this.take(this.codes.at(-1));
    }
  }

  add(code) {
    if (!this.codes.includes(code)) this.codes.push(code);
    this.input.value = "";
    this.highlighted = 0;
    this.draw();
    this.input.blur(); // from here on, digits mark images and Enter sends
    this.changed();
  }

  take(code) {
    this.codes = this.codes.filter((one) => one !== code);
    this.draw();
    this.changed();
  }

  // The model's own words where its first guess was taken, and else the rules and places in a sentence.
  draft() {
    if (this.written) return;
    const pointed = [...new Set(this.marksOf().map((mark) => this.placeOf(mark.image)))].sort();
    const fromModel = this.codes.length === 1 && this.codes[0] === this.data.guesses[0] && !pointed.length;
    if (fromModel && this.data.draft) {
      this.words.value = this.data.draft;
      return;
    }
    const rules = this.codes.map((code) => this.byCode.get(code).words).join(", ");
    const places = pointed.map((place) => PLACES[place] || `${place + 1}th`);
    const images = places.length > 1 ? `${places.slice(0, -1).join(", ")} and ${places.at(-1)} images` : `${places[0]} image`;
    this.words.value = rules && places.length ? `${rules}: the ${images}` : rules;
  }

  draw() {
    const chips = this.codes.map((code) => {
      const chip = document.createElement("span");
      chip.className = "chip";
      const remove = Object.assign(document.createElement("button"), { type: "button", textContent: "×" });
      remove.setAttribute("aria-label", `Take ${this.byCode.get(code).words} away`);
      remove.addEventListener("click", () => this.take(code));
      chip.append(this.byCode.get(code).words, remove);
      return chip;
    });
    this.form.querySelector("#chosen").replaceChildren(...chips);
    this.input.placeholder = this.codes.length ? "Another rule" : "Type a rule";
    this.drawOptions();
    this.draft();
  }

  drawOptions() {
    const rows = this.matches().map((rule, index) => {
      const row = document.createElement("li");
      row.setAttribute("role", "option");
      row.setAttribute("aria-selected", index === this.highlighted);
      row.title = rule.summary;
      const name = Object.assign(document.createElement("span"), { textContent: rule.words });
      row.append(name, Object.assign(document.createElement("code"), { textContent: rule.code }));
      if (this.data.guesses[0] === rule.code) name.append(Object.assign(document.createElement("i"), { textContent: "model’s guess" }));
      row.addEventListener("pointerdown", (event) => event.preventDefault());
      row.addEventListener("click", () => this.add(rule.code));
      return row;
    });
    this.options.replaceChildren(...rows);
  }
}

function closeness(rule, typed, parts) {
  const names = [rule.words, ...rule.aliases].map((name) => name.toLowerCase());
  if (names.some((name) => name.startsWith(typed)) || rule.code.toLowerCase().startsWith(typed)) return 3;
  if (parts.every((part) => names.some((name) => name.split(/[\s-]+/).some((word) => word.startsWith(part))))) return 2;
  return parts.every((part) => rule.summary.toLowerCase().includes(part)) ? 1 : 0;
}
