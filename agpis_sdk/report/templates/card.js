// One product's card.
const pictureOf = (card, id) => card.pictures.find((picture) => picture.id === id);
const placeOf = (card, id) => card.sequence.indexOf(id) + 1; // 0 where it was not chosen
const isLost = (picture) => picture.state === "removed" || picture.state === "unreadable";
const hasBoxes = (card, index) => card.pictures.some((picture) => picture.boxes.some((box) => box.finding === index));

const boxElements = (picture, findings) =>
  picture.boxes.length > 0 &&
  svg(
    "svg",
    { viewBox: `0 0 ${picture.width} ${picture.height}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    picture.boxes.map((box) =>
      svg(
        "g",
        { class: `c${findings[box.finding].color ?? 0}`, "data-finding": box.finding },
        ["halo", "box"].map((kind) => svg("rect", { class: kind, x: box.x, y: box.y, width: box.width, height: box.height })),
      ),
    ),
  );

const frameElement = (picture, findings, alt) => {
  if (picture.src === null) return h("span", { class: "placeholder" }, picture.placeholder);
  const image = h("img", { src: picture.src, alt, decoding: "async" });
  const frame = h("span", { class: "frame" }, image, boxElements(picture, findings));
  frame.style.setProperty("--ratio", picture.width / picture.height);
  return frame;
};

const tileElement = (card, picture) =>
  h(
    "button",
    {
      type: "button",
      class: `tile ${picture.state}`,
      "aria-label": `Enlarge ${picture.id}, ${picture.state_words.toLowerCase()}`,
      onclick: () => openViewer(card, picture.id),
    },
    frameElement(picture, card.findings, ""),
  );

const findingElement = (card, index) => {
  const finding = card.findings[index];
  const rule = words.rules[finding.code];
  const swatch = hasBoxes(card, index) && h("span", { class: "swatch" });
  return h(
    "div",
    { class: `finding c${finding.color ?? 0}`, "data-finding": index },
    h(
      "details",
      {},
      h("summary", {}, swatch, h("b", {}, rule.name), " ", h("code", {}, finding.code)),
      h("p", { class: "explanation" }, `${rule.explanation} ${finding.sureness}`),
    ),
    finding.message && h("p", { class: "message", dir: "auto" }, finding.message),
    finding.remedy &&
      h("p", { class: "remedy", dir: "auto" }, h("span", { class: "arrow", "aria-hidden": "true" }, "→ "), finding.remedy),
  );
};

const findingList = (card, indexes) =>
  indexes.length > 0 && h("div", { class: "findings" }, indexes.map((index) => findingElement(card, index)));

const figureElement = (card, id) => {
  const picture = pictureOf(card, id);
  const place = placeOf(card, id);
  const unexplained = isLost(picture) && !picture.findings.length;
  return h(
    "figure",
    { class: picture.state },
    tileElement(card, picture),
    h(
      "figcaption",
      {},
      h(
        "p",
        { class: "who" },
        place > 0 && h("span", { class: "place" }, place),
        place === 1 && h("span", { class: "mark" }, "First image"),
        h("span", { class: "image-id" }, id),
      ),
      picture.facts.length > 0 && h("ul", { class: "facts" }, picture.facts.map((fact) => h("li", {}, fact))),
      findingList(card, picture.findings),
      unexplained && h("p", { class: "message" }, "The run does not say why."),
    ),
  );
};

const memberElement = (card, id) => {
  const picture = pictureOf(card, id);
  const place = placeOf(card, id);
  return h(
    "div",
    { class: `member ${picture.state}` },
    tileElement(card, picture),
    h("p", { class: "image-id" }, id),
    h("p", { class: "fate" }, place ? `image ${place}` : picture.state_words),
  );
};

const pairElement = (card, pair) => {
  const [first, second] = pair.images.map((id) => memberElement(card, id));
  const line = h("div", { class: "line" }, first, h("span", { class: "link", "aria-hidden": "true" }), second);
  return h("li", { class: "pair" }, line, findingList(card, pair.findings));
};

// Images that were not chosen, and what was found about pairs with them: folded, as nothing depends on it.
const unusedElement = (card) => {
  const { unused, folded } = card;
  const parts = [unused.length && `${count(unused.length, "usable image")} not chosen`, folded.length && count(folded.length, "note")];
  return (
    parts.some(Boolean) &&
    h(
      "details",
      { class: "unused" },
      h("summary", {}, parts.filter(Boolean).join(" · ")),
      unused.length > 0 && h("div", { class: "strip" }, unused.map((id) => figureElement(card, id))),
      folded.length > 0 && h("ul", { class: "notes" }, folded.map((index) => h("li", {}, findingElement(card, index)))),
    )
  );
};

const headElement = (number, card) => {
  const row = rows[number];
  const { category, seller, brand } = row.groups;
  const compare = card.pictures.length > 1 && card.sequence.length > 0;
  return h(
    "header",
    {},
    h(
      "div",
      { class: "titles" },
      category && h("p", { class: "category", dir: "auto" }, category),
      h("h3", { dir: "auto", id: `title-${number}` }, card.title),
      h("p", { class: "product-id" }, [card.product_id, seller, brand].filter(Boolean).join(" · ")),
    ),
    h(
      "div",
      { class: "verdict" },
      h("p", { class: "status" }, h("span", { class: "dot" }), card.status_words),
      row.probability !== null && h("p", { class: "probability", title: "acceptance probability, p^t" }, card.probability_words),
      h(
        "p",
        { class: "actions" },
        compare && plainButton("Before and after", () => openViewer(card, null)),
        plainButton("Copy link", (event) => copyLink(event.currentTarget, row.id)),
      ),
    ),
  );
};

const cardElement = (number, card) => {
  const { sequence, lost, pairs } = card;
  const chosen = sequence.length > 0 && h("div", { class: "sequence" }, sequence.map((id) => figureElement(card, id)));
  const takenOut =
    lost.length > 0 && h("section", { class: "lost" }, h("h4", {}, "Taken out"), lost.map((id) => figureElement(card, id)));
  return h(
    "article",
    {
      class: `card ${rows[number].status}`,
      id: `product-${number}`,
      tabindex: "-1",
      "aria-labelledby": `title-${number}`,
      onmouseover: pointAt,
      onfocusin: pointAt,
    },
    headElement(number, card),
    card.reason && h("p", { class: "reason", dir: "auto" }, card.reason),
    card.feedback && h("p", { class: "feedback", dir: "auto" }, card.feedback),
    findingList(card, card.whole),
    h("div", { class: `pictures${chosen && takenOut ? " both" : ""}` }, chosen, takenOut),
    pairs.length > 0 && h("ul", { class: "pairs" }, pairs.map((pair) => pairElement(card, pair))),
    unusedElement(card),
    card.sequence.length > 0 && reviewElement(number, card),
  );
};

// Pointing at a finding shows its boxes alone; pointing at a picture shows all of its own (by the style sheet).
const pointAt = (event) => {
  const index = event.target.closest(".finding")?.dataset.finding;
  for (const box of event.currentTarget.querySelectorAll("svg g")) box.classList.toggle("pointed", box.dataset.finding === index);
};

const copyLink = async (button, id) => {
  const link = new URL(`#${new URLSearchParams({ product: id })}`, location.href);
  history.replaceState(null, "", link);
  try {
    await navigator.clipboard.writeText(link.href);
    button.textContent = "Copied";
  } catch {
    button.textContent = "It is in the address bar";
  }
  setTimeout(() => (button.textContent = "Copy link"), 2000);
};
