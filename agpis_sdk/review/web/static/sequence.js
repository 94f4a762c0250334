// The sequence and the other images: select, move, swap, take out, append; nothing is sent from here.

export class Sequence {
  constructor(list, others, changed) {
    this.list = list;
    this.others = others;
    this.changed = changed;
    this.proposed = this.ids();
    this.start = [...list.children];
    this.rest = [...others.children];
    this.selected = null;
    for (const image of [...this.start, ...this.rest]) {
      image.querySelector("img").addEventListener("load", (event) => fit(event.target));
      image.querySelector("img").addEventListener("error", () => image.classList.add("missing"));
      fit(image.querySelector("img"));
    }
    this.makeDraggable();
    this.update();
  }

  ids() {
    return [...this.list.children].map((image) => image.dataset.image);
  }

  get edited() {
    return this.ids().join("\n") !== this.proposed.join("\n");
  }

  at(place) {
    return this.list.children[place] || null;
  }

  select(image) {
    this.selected = image === this.selected ? null : image;
    this.update();
  }

  // A click: an image of the sequence is selected; another one takes the place of the selected one, or comes last.
  choose(image) {
    if (image.parentElement === this.list) {
      this.select(image);
      return;
    }
    if (this.selected) {
      const replaced = this.selected;
      replaced.before(image);
      this.others.prepend(replaced);
    } else {
      this.list.append(image);
    }
    this.selected = null;
    this.update();
    image.focus({ preventScroll: true });
  }

  move(step) {
    if (!this.selected) return;
    const neighbor = step < 0 ? this.selected.previousElementSibling : this.selected.nextElementSibling;
    if (!neighbor) return;
    if (step < 0) neighbor.before(this.selected);
    else neighbor.after(this.selected);
    this.update();
  }

  remove() {
    if (!this.selected) return;
    this.others.prepend(this.selected);
    this.selected = null;
    this.update();
  }

  reset() {
    this.list.replaceChildren(...this.start);
    this.others.replaceChildren(...this.rest);
    this.selected = null;
    this.update();
  }

  update() {
    [...this.list.children].forEach((image, place) => {
      image.querySelector(".place").textContent = place + 1;
      show(image, image.dataset.large);
    });
    for (const image of this.others.children) {
      image.querySelector(".place").textContent = "";
      if (!image.querySelector("img").getAttribute("src")) show(image, image.dataset.small);
    }
    for (const image of [...this.list.children, ...this.others.children]) {
      image.classList.toggle("selected", image === this.selected);
    }
    this.list.dataset.count = Math.min(this.list.children.length, 7);
    this.changed();
  }

  // By mouse: an image is dragged to its new place.
  makeDraggable() {
    let dragged = null;
    for (const image of [...this.start, ...this.rest]) {
      image.draggable = true;
      image.addEventListener("dragstart", (event) => {
        dragged = image;
        event.dataTransfer.effectAllowed = "move";
        event.dataTransfer.setData("text/plain", image.dataset.image);
      });
      image.addEventListener("dragend", () => { dragged = null; });
    }
    for (const list of [this.list, this.others]) {
      list.addEventListener("dragover", (event) => { if (dragged) event.preventDefault(); });
      list.addEventListener("drop", (event) => {
        if (!dragged) return;
        event.preventDefault();
        const over = event.target.closest(".image");
        if (over === dragged) return;
        if (!over) list.append(dragged);
        else if (event.offsetX > over.clientWidth / 2) over.after(dragged);
        else over.before(dragged);
        this.selected = null;
        this.update();
      });
    }
  }

  setDraggable(on) {
    for (const image of [...this.list.children, ...this.others.children]) image.draggable = on;
  }
}

function show(image, source) {
  const picture = image.querySelector("img");
  if (picture.getAttribute("src") !== source) picture.src = source;
}

function fit(picture) {
  if (picture.naturalWidth) {
    picture.parentElement.style.setProperty("--ratio", picture.naturalWidth / picture.naturalHeight);
  }
}
