// Tabs, rule filter, text search; pointing at a finding shows its boxes alone.
(() => {
  "use strict";
  const cards = [...document.querySelectorAll(".card")];
  const galleries = [...document.querySelectorAll(".gallery")];
  const tabs = [...document.querySelectorAll("[data-tab]")];
  const rule = document.getElementById("rule");
  const text = document.getElementById("text");
  const codes = new Map(cards.map((card) => [card, new Set(card.dataset.codes.split(" "))]));
  const statuses = new Set(tabs.map((tab) => tab.dataset.tab));
  let status = "";

  const apply = () => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const visible = new Map(galleries.map((gallery) => [gallery.id, 0]));
    for (const card of cards) {
      const shown =
        (!status || card.dataset.status === status) &&
        (!rule.value || codes.get(card).has(rule.value)) &&
        words.every((word) => card.dataset.text.includes(word));
      card.hidden = !shown;
      if (shown) visible.set(card.dataset.status, visible.get(card.dataset.status) + 1);
    }
    const filtered = Boolean(rule.value || words.length);
    let any = false;
    for (const gallery of galleries) {
      const count = visible.get(gallery.id);
      any ||= count > 0;
      gallery.hidden = (status && gallery.id !== status) || (filtered && count === 0);
      const label = gallery.querySelector(".visible");
      label.dataset.all ??= label.textContent;
      label.textContent = filtered ? `${count.toLocaleString("en")} of ${label.dataset.all}` : label.dataset.all;
    }
    for (const tab of tabs) tab.classList.toggle("on", tab.dataset.tab === status);
    document.getElementById("nothing").hidden = any || !cards.length;
  };

  const choose = (name) => {
    status = statuses.has(name) ? name : "";
    apply();
  };
  const toGallery = () => {
    const top = document.getElementById("gallery");
    if (top.getBoundingClientRect().top > 0 || window.scrollY > top.offsetTop) top.nextElementSibling.scrollIntoView();
  };

  for (const tab of tabs) {
    tab.addEventListener("click", (event) => {
      event.preventDefault();
      history.replaceState(null, "", tab.dataset.tab ? `#${tab.dataset.tab}` : "#gallery");
      choose(tab.dataset.tab);
      toGallery();
    });
  }
  for (const link of document.querySelectorAll("[data-rule]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      rule.value = link.dataset.rule;
      choose("");
      toGallery();
    });
  }
  let waiting = 0;
  text.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(apply, 120);
  });
  rule.addEventListener("change", apply);
  window.addEventListener("hashchange", () => choose(location.hash.slice(1)));
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      text.focus();
    }
  });

  document.addEventListener("mouseover", (event) => {
    const pointed = event.target.closest("[data-finding]");
    for (const old of document.querySelectorAll(".card.pointing")) {
      old.classList.remove("pointing");
      for (const mark of old.querySelectorAll(".pointed")) mark.classList.remove("pointed");
    }
    const card = pointed?.closest(".card");
    if (!card?.querySelector(`g[data-finding="${pointed.dataset.finding}"]`)) return;
    card.classList.add("pointing");
    for (const mark of card.querySelectorAll(`[data-finding="${pointed.dataset.finding}"]`)) mark.classList.add("pointed");
  });

  document.querySelector(".filter").hidden = false;
  choose(location.hash.slice(1));
})();
