// What the reviewer points at while rejecting: whole images by a click, places by a dragged box.

const SMALLEST = 0.015; // share of the image; less is a click

export class Marks {
  constructor(sequence, list, currentRule, changed) {
    this.sequence = sequence;
    this.list = list;
    this.currentRule = currentRule;
    this.changed = changed;
    this.marks = [];
    this.byFinger = false;
    this.active = false;
    sequence.addEventListener("pointerdown", (event) => this.begin(event));
  }

  all() {
    return this.marks.map(({ image, box, rule }) => ({ image, box, rule }));
  }

  clear() {
    this.marks = [];
    this.draw();
  }

  // The rule of marks that were made before a rule was chosen.
  adopt(code) {
    for (const mark of this.marks) mark.rule ||= code;
    this.draw();
  }

  toggle(image) {
    const known = this.marks.findIndex((mark) => mark.image === image && !mark.box);
    if (known >= 0) this.marks.splice(known, 1);
    else this.marks.push({ image, box: null, rule: this.currentRule() });
    this.draw();
    this.changed();
  }

  begin(event) {
    if (!this.active || event.button !== 0) return;
    const tile = event.target.closest(".image");
    if (!tile || (event.pointerType === "touch" && !this.byFinger)) return;
    event.preventDefault();
    const frame = tile.querySelector(".frame");
    const area = frame.getBoundingClientRect();
    const place = (at) => [share(at.clientX - area.left, area.width), share(at.clientY - area.top, area.height)];
    const start = place(event);
    const outline = document.createElement("div");
    outline.className = "box drawing";
    frame.querySelector(".boxes").append(outline);
    const boxOf = (at) => {
      const end = place(at);
      return [Math.min(start[0], end[0]), Math.min(start[1], end[1]), Math.abs(start[0] - end[0]), Math.abs(start[1] - end[1])];
    };
    const moved = (at) => position(outline, boxOf(at));
    const ended = (at) => {
      document.removeEventListener("pointermove", moved);
      document.removeEventListener("pointerup", ended);
      document.removeEventListener("pointercancel", ended);
      outline.remove();
      if (at.type === "pointercancel") return;
      const box = boxOf(at);
      if (box[2] < SMALLEST || box[3] < SMALLEST) {
        this.toggle(tile.dataset.image);
        return;
      }
      this.marks = this.marks.filter((mark) => mark.image !== tile.dataset.image || mark.box);
      this.marks.push({ image: tile.dataset.image, box, rule: this.currentRule() });
      this.draw();
      this.changed();
    };
    document.addEventListener("pointermove", moved);
    document.addEventListener("pointerup", ended);
    document.addEventListener("pointercancel", ended);
  }

  draw() {
    for (const tile of this.sequence.children) {
      const own = this.marks.filter((mark) => mark.image === tile.dataset.image);
      tile.classList.toggle("marked", own.some((mark) => !mark.box));
      tile.querySelectorAll(".box.mark").forEach((box) => box.remove());
      for (const mark of own.filter((one) => one.box)) {
        const box = document.createElement("div");
        box.className = "box mark";
        position(box, mark.box);
        tile.querySelector(".boxes").append(box);
      }
    }
    this.list.replaceChildren(...this.marks.map((mark, index) => this.row(mark, index)));
  }

  row(mark, index) {
    const item = document.createElement("li");
    const place = [...this.sequence.children].findIndex((tile) => tile.dataset.image === mark.image) + 1;
    const remove = Object.assign(document.createElement("button"), { type: "button", textContent: "×", className: "quiet small" });
    remove.setAttribute("aria-label", `Take mark ${index + 1} away`);
    remove.addEventListener("click", () => {
      this.marks.splice(index, 1);
      this.draw();
      this.changed();
    });
    item.append(`Image ${place}, ${mark.box ? "a place on it" : "all of it"}`, remove);
    return item;
  }
}

export function position(element, [x, y, width, height]) {
  element.style.left = `${x * 100}%`;
  element.style.top = `${y * 100}%`;
  element.style.width = `${width * 100}%`;
  element.style.height = `${height * 100}%`;
}

function share(offset, size) {
  return Math.min(1, Math.max(0, offset / size));
}
