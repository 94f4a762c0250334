// One product's card.
const boxes = (picture, findings) =>
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

const frame = (picture, findings, alt) => {
  if (picture.src === null) return h("span", { class: "placeholder" }, picture.placeholder);
  const inner = h("span", { class: "frame" }, h("img", { src: picture.src, alt, decoding: "async" }), boxes(picture, findings));
  inner.style.setProperty("--ratio", picture.width / picture.height);
  return inner;
};

const cardElement = (number, card) => {
  const pictures = new Map(card.pictures.map((picture) => [picture.id, picture]));
  const place = (id) => card.sequence.indexOf(id) + 1;

  const tile = (picture, compare = false) =>
    h(
      "button",
      {
        type: "button",
        class: `tile ${picture.state}`,
        "aria-label": `Enlarge ${picture.id}, ${picture.state_words.toLowerCase()}`,
        onclick: () => openViewer(card, compare ? null : picture.id),
      },
      frame(picture, card.findings, ""),
    );

  const finding = (index) => {
    const told = card.findings[index];
    const rule = words.rules[told.code];
    const boxed = card.pictures.some((picture) => picture.boxes.some((box) => box.finding === index));
    return h(
      "div",
      { class: `finding c${told.color ?? 0}`, "data-finding": index },
      h(
        "details",
        {},
        h("summary", {}, boxed && h("span", { class: "swatch" }), h("b", {}, rule.name), " ", h("code", {}, told.code)),
        h("p", { class: "explanation" }, `${rule.explanation} ${told.sureness}`),
      ),
      told.message && h("p", { class: "message", dir: "auto" }, told.message),
      told.remedy && h("p", { class: "remedy", dir: "auto" }, h("span", { class: "arrow", "aria-hidden": "true" }, "→ "), told.remedy),
    );
  };
  const findings = (indexes) => indexes.length > 0 && h("div", { class: "findings" }, indexes.map(finding));

  const figure = (id) => {
    const picture = pictures.get(id);
    const position = place(id);
    return h(
      "figure",
      { class: picture.state },
      tile(picture),
      h(
        "figcaption",
        {},
        h("p", { class: "who" }, position > 0 && h("span", { class: "place" }, position), position === 1 && h("span", { class: "mark" }, "First image"), h("span", { class: "image-id" }, id)),
        picture.facts.length > 0 && h("ul", { class: "facts" }, picture.facts.map((fact) => h("li", {}, fact))),
        findings(picture.findings),
        !position && picture.state !== "kept" && !picture.findings.length && h("p", { class: "message" }, "The run does not say why."),
      ),
    );
  };

  const pair = ({ images, findings: indexes }) => {
    const member = (id) => {
      const picture = pictures.get(id);
      const lost = picture.state === "removed" || picture.state === "unreadable";
      return h("div", { class: `member ${picture.state}` }, tile(picture), h("p", { class: "image-id" }, id), h("p", { class: "fate" }, lost ? picture.state_words : place(id) ? `image ${place(id)}` : picture.state_words));
    };
    return h("li", { class: "pair" }, h("div", { class: "line" }, member(images[0]), h("span", { class: "link", "aria-hidden": "true" }), member(images[1])), findings(indexes));
  };

  const unused = card.unused.length + card.folded.length > 0 && h(
    "details",
    { class: "unused" },
    h("summary", {}, [card.unused.length && `${count(card.unused.length, "usable image")} not chosen`, card.folded.length && count(card.folded.length, "note")].filter(Boolean).join(" · ")),
    card.unused.length > 0 && h("div", { class: "strip" }, card.unused.map(figure)),
    card.folded.length > 0 && h("ul", { class: "notes" }, card.folded.map((index) => h("li", {}, finding(index)))),
  );

  const row = rows[number];
  return h(
    "article",
    { class: `card ${row.status}`, id: `product-${number}`, tabindex: "-1", "aria-labelledby": `title-${number}`, onmouseover: pointAt, onfocusin: pointAt },
    h(
      "header",
      {},
      h("div", { class: "titles" }, row.groups.category && h("p", { class: "category", dir: "auto" }, row.groups.category), h("h3", { dir: "auto", id: `title-${number}` }, card.title), h("p", { class: "product-id" }, [card.product_id, row.groups.seller, row.groups.brand].filter(Boolean).join(" · "))),
      h(
        "div",
        { class: "verdict" },
        h("p", { class: "status" }, h("span", { class: "dot" }), card.status_words),
        row.probability !== null && h("p", { class: "probability", title: "acceptance probability, p^t" }, card.probability_words),
        h(
          "p",
          { class: "actions" },
          card.pictures.length > 1 && card.sequence.length > 0 && h("button", { type: "button", class: "plain", onclick: () => openViewer(card, null) }, "Before and after"),
          h("button", { type: "button", class: "plain", onclick: (event) => copyLink(event.currentTarget, row.id) }, "Copy link"),
        ),
      ),
    ),
    card.reason && h("p", { class: "reason", dir: "auto" }, card.reason),
    card.feedback && h("p", { class: "feedback", dir: "auto" }, card.feedback),
    findings(card.whole),
    h(
      "div",
      { class: `pictures${card.lost.length && card.sequence.length ? " both" : ""}` },
      card.sequence.length > 0 && h("div", { class: "sequence" }, card.sequence.map(figure)),
      card.lost.length > 0 && h("section", { class: "lost" }, h("h4", {}, "Taken out"), card.lost.map(figure)),
    ),
    card.pairs.length > 0 && h("ul", { class: "pairs" }, card.pairs.map(pair)),
    unused,
  );
};

// Pointing at a finding shows its boxes alone; pointing at a picture shows all of its own (by the style sheet).
const pointAt = (event) => {
  const card = event.currentTarget;
  const index = event.target.closest(".finding")?.dataset.finding;
  for (const box of card.querySelectorAll("svg g")) box.classList.toggle("pointed", box.dataset.finding === index);
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
