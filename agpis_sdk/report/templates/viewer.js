// The dialog: one picture large, with zoom and boxes, or the listed order above the chosen one.
const viewer = document.getElementById("viewer");
const MAX_ZOOM = 6;
const ZOOM_STEP = 1.5;
let viewed = null; // the card, the id of the picture (null: the two orders), and how it is looked at

const openViewer = (card, id) => {
  viewed = { card, id, zoom: 1, x: 0, y: 0, boxes: true };
  viewer.replaceChildren(...(id === null ? orderElements(card) : viewElements(card, pictureOf(card, id))));
  if (!viewer.open) viewer.showModal();
};

const barElement = (title, ...controls) =>
  h("div", { class: "bar" }, h("h2", { dir: "auto" }, title), controls, plainButton("Close", () => viewer.close()));

const viewElements = (card, picture) => [
  barElement(
    card.title,
    plainButton("←", () => step(-1), { "aria-label": "Previous picture" }),
    plainButton("→", () => step(1), { "aria-label": "Next picture" }),
    plainButton("−", () => zoomTo(viewed.zoom / ZOOM_STEP), { "aria-label": "Zoom out" }),
    plainButton("+", () => zoomTo(viewed.zoom * ZOOM_STEP), { "aria-label": "Zoom in" }),
    picture.boxes.length > 0 && plainButton("Boxes", toggleBoxes, { "aria-pressed": "true" }),
    card.pictures.length > 1 && card.sequence.length > 0 && plainButton("Before and after", () => openViewer(card, null)),
  ),
  h(
    "div",
    { class: "stage boxed", onwheel: turnWheel, ondblclick: () => zoomTo(viewed.zoom > 1 ? 1 : 2.5), onpointerdown: drag },
    frameElement(picture, card.findings, `${card.title}: ${picture.id}`),
  ),
  captionElement(card, picture),
];

const captionElement = (card, picture) => {
  const about = card.findings.filter((finding) => finding.images.includes(picture.id));
  const size = picture.src === null ? [] : [`${picture.width} × ${picture.height} pixels`];
  return h(
    "div",
    { class: "caption" },
    h("p", {}, h("b", {}, picture.state_words), " ", h("span", { class: "image-id" }, picture.id)),
    h("p", { class: "facts" }, [...size, ...picture.facts].join(" · ")),
    about.map((finding) =>
      h(
        "p",
        { dir: "auto" },
        h("b", {}, words.rules[finding.code].name),
        ` ${finding.message} `,
        finding.remedy && h("span", { class: "remedy" }, `→ ${finding.remedy}`),
      ),
    ),
    /^https?:\/\//.test(picture.uri) && h("p", {}, h("a", { href: picture.uri, target: "_blank", rel: "noopener noreferrer" }, "Open the original")),
  );
};

const orderElements = (card) => {
  const listed = card.pictures.map((picture) => picture.id);
  const now = (id) => (placeOf(card, id) ? `now ${placeOf(card, id)}` : pictureOf(card, id).state_words);
  const was = (id) => `was ${listed.indexOf(id) + 1}`;
  return [barElement(card.title), stripElement(card, "Before: as listed", listed, now), stripElement(card, "After: as chosen", card.sequence, was)];
};

const stripElement = (card, title, ids, fate) =>
  h(
    "section",
    { class: "order" },
    h("h3", {}, title),
    h(
      "ol",
      {},
      ids.map((id, position) =>
        h("li", {}, tileElement(card, pictureOf(card, id)), h("p", {}, h("span", { class: "place" }, position + 1), " ", fate(id))),
      ),
    ),
  );

// To the picture before or behind this one: the chosen ones in order, then the others.
const step = (by) => {
  const { card, id } = viewed;
  const ids = [...new Set([...card.sequence, ...card.pictures.map((picture) => picture.id)])];
  openViewer(card, ids[(ids.indexOf(id) + by + ids.length) % ids.length]);
};

const toggleBoxes = (event) => {
  viewed.boxes = !viewed.boxes;
  viewer.querySelector(".stage").classList.toggle("boxed", viewed.boxes);
  event.currentTarget.setAttribute("aria-pressed", String(viewed.boxes));
};

const move = () => {
  const frame = viewer.querySelector(".stage .frame");
  if (!frame) return;
  frame.style.transform = `translate(${viewed.x}px, ${viewed.y}px) scale(${viewed.zoom})`;
  viewer.querySelector(".stage").classList.toggle("zoomed", viewed.zoom > 1);
};

const zoomTo = (zoom) => {
  viewed.zoom = Math.min(MAX_ZOOM, Math.max(1, zoom));
  if (viewed.zoom === 1) viewed.x = viewed.y = 0;
  move();
};

const turnWheel = (event) => {
  event.preventDefault();
  zoomTo(viewed.zoom * (event.deltaY < 0 ? 1.2 : 1 / 1.2));
};

const drag = (event) => {
  if (viewed.zoom === 1) return;
  const stage = event.currentTarget;
  const from = { x: event.clientX - viewed.x, y: event.clientY - viewed.y };
  const follow = (moved) => {
    Object.assign(viewed, { x: moved.clientX - from.x, y: moved.clientY - from.y });
    move();
  };
  event.preventDefault();
  stage.setPointerCapture(event.pointerId);
  stage.addEventListener("pointermove", follow);
  for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, () => stage.removeEventListener("pointermove", follow), { once: true });
};

const PRESSES = {
  ArrowLeft: () => step(-1),
  ArrowRight: () => step(1),
  "+": () => zoomTo(viewed.zoom * ZOOM_STEP),
  "-": () => zoomTo(viewed.zoom / ZOOM_STEP),
};

viewer.addEventListener("click", (event) => event.target === viewer && viewer.close());
viewer.addEventListener("keydown", (event) => {
  if (viewed.id === null || !(event.key in PRESSES)) return;
  event.preventDefault();
  PRESSES[event.key]();
  if (event.key.startsWith("Arrow")) viewer.querySelector("button").focus();
});
