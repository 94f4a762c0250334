// The dialog: one picture large, with zoom and boxes, or the listed order above the chosen one.
const viewer = document.getElementById("viewer");
const MAX_ZOOM = 6;
let viewed = null;

const openViewer = (card, id) => {
  viewed = { card, id, zoom: 1, x: 0, y: 0, boxes: true };
  if (id === null) showOrders();
  else showPicture();
  if (!viewer.open) viewer.showModal();
};

const bar = (title, ...controls) =>
  h("div", { class: "bar" }, h("h2", { dir: "auto" }, title), controls, h("button", { type: "button", class: "plain", onclick: () => viewer.close() }, "Close"));

const button = (label, press, properties = {}) => h("button", { type: "button", class: "plain", onclick: press, ...properties }, label);

const showPicture = () => {
  const { card, id } = viewed;
  const picture = card.pictures.find((one) => one.id === id);
  const stage = h("div", { class: `stage${viewed.boxes ? " boxed" : ""}`, onwheel: turnWheel, ondblclick: () => zoomTo(viewed.zoom > 1 ? 1 : 2.5), onpointerdown: drag }, frame(picture, card.findings, `${card.title}: ${id}`));
  const told = card.findings.filter((finding) => finding.images.includes(id));
  viewer.replaceChildren(
    bar(
      card.title,
      button("←", () => step(-1), { "aria-label": "Previous picture" }),
      button("→", () => step(1), { "aria-label": "Next picture" }),
      button("−", () => zoomTo(viewed.zoom / 1.5), { "aria-label": "Zoom out" }),
      button("+", () => zoomTo(viewed.zoom * 1.5), { "aria-label": "Zoom in" }),
      picture.boxes.length > 0 && button("Boxes", toggleBoxes, { "aria-pressed": String(viewed.boxes) }),
      card.pictures.length > 1 && card.sequence.length > 0 && button("Before and after", () => openViewer(card, null)),
    ),
    stage,
    h(
      "div",
      { class: "caption" },
      h("p", {}, h("b", {}, picture.state_words), " ", h("span", { class: "image-id" }, id)),
      h("p", { class: "facts" }, [`${picture.width} × ${picture.height} pixels`, ...picture.facts].filter((fact) => picture.src !== null || !fact.startsWith("1 ×")).join(" · ")),
      told.map((finding) => h("p", { dir: "auto" }, h("b", {}, words.rules[finding.code].name), ` ${finding.message} `, finding.remedy && h("span", { class: "remedy" }, `→ ${finding.remedy}`))),
      picture.link && h("p", {}, h("a", { href: picture.link, target: "_blank", rel: "noopener noreferrer" }, "Open the original")),
    ),
  );
};

const showOrders = () => {
  const { card } = viewed;
  const listed = card.pictures.map((picture) => picture.id);
  const strip = (title, ids) =>
    h(
      "section",
      { class: "order" },
      h("h3", {}, title),
      h("ol", {}, ids.map((id, position) => {
        const picture = card.pictures.find((one) => one.id === id);
        const chosen = card.sequence.indexOf(id) + 1;
        const fate = chosen ? `now ${chosen}` : picture.state_words;
        return h("li", { class: picture.state }, h("button", { type: "button", class: "tile", "aria-label": `Enlarge ${id}`, onclick: () => openViewer(card, id) }, frame(picture, card.findings, "")), h("p", {}, h("span", { class: "place" }, position + 1), " ", ids === listed ? fate : `was ${listed.indexOf(id) + 1}`));
      })),
    );
  viewer.replaceChildren(bar(card.title), strip("Before: as listed", listed), strip("After: as chosen", card.sequence));
};

const step = (by) => {
  const ids = [...viewed.card.sequence, ...viewed.card.pictures.map((picture) => picture.id).filter((id) => !viewed.card.sequence.includes(id))];
  const id = ids[(ids.indexOf(viewed.id) + by + ids.length) % ids.length];
  openViewer(viewed.card, id);
};

const toggleBoxes = (event) => {
  viewed.boxes = !viewed.boxes;
  viewer.querySelector(".stage").classList.toggle("boxed", viewed.boxes);
  event.currentTarget.setAttribute("aria-pressed", viewed.boxes);
};

const move = () => {
  const picture = viewer.querySelector(".stage .frame");
  if (!picture) return;
  picture.style.transform = `translate(${viewed.x}px, ${viewed.y}px) scale(${viewed.zoom})`;
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
  stage.addEventListener("pointerup", () => stage.removeEventListener("pointermove", follow), { once: true });
};

viewer.addEventListener("click", (event) => event.target === viewer && viewer.close());
viewer.addEventListener("keydown", (event) => {
  if (viewed.id === null) return;
  const press = { ArrowLeft: () => step(-1), ArrowRight: () => step(1), "+": () => zoomTo(viewed.zoom * 1.5), "-": () => zoomTo(viewed.zoom / 1.5) }[event.key];
  if (!press) return;
  event.preventDefault();
  press();
});
