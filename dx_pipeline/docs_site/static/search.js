// Search over DX_INDEX, which search-index.js defines. Words are compared without diacritics and case; all must occur.
"use strict";
(function () {
  const input = document.getElementById("search");
  const box = document.getElementById("hits");
  const root = document.body.dataset.root;
  const most = 60;

  function fold(text) {
    return text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/[đĐ]/g, "d").toLowerCase();
  }

  const entries = window.DX_INDEX.map(function (one) {
    return { one: one, title: fold(one.t), text: fold(one.t + " " + one.t.replace(/[_.]/g, " ") + " " + one.x) };
  });

  function score(entry, query) {
    if (entry.title === query) return 0;
    return (entry.text.includes(query) ? 1 : 10) + entry.one.r;
  }

  function element(name, text, className) {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  function show() {
    const query = fold(input.value.trim());
    const words = query.split(/\s+/).filter(Boolean);
    box.replaceChildren();
    box.hidden = words.length === 0;
    if (box.hidden) return;
    const found = entries
      .filter(function (entry) { return words.every(function (word) { return entry.text.includes(word); }); })
      .map(function (entry) { return { entry: entry, rank: score(entry, query) }; })
      .sort(function (a, b) { return a.rank - b.rank; });
    box.append(element("p", found.length ? found.length + " " + box.dataset.hits : box.dataset.none));
    const list = element("ol");
    found.slice(0, most).forEach(function (hit) {
      const item = element("li");
      const link = element("a", hit.entry.one.t);
      link.href = root + hit.entry.one.u;
      item.append(link, element("span", hit.entry.one.k, "kind"), element("p", hit.entry.one.x));
      list.append(item);
    });
    box.append(list);
  }

  input.addEventListener("input", show);
  input.addEventListener("keydown", function (event) {
    if (event.key === "Escape") { input.value = ""; show(); }
    if (event.key === "ArrowDown") {
      const first = box.querySelector("a");
      if (first) { event.preventDefault(); first.focus(); }
    }
  });
  box.addEventListener("keydown", function (event) {
    const links = Array.from(box.querySelectorAll("a"));
    const at = links.indexOf(document.activeElement);
    if (event.key === "ArrowDown" && at + 1 < links.length) { event.preventDefault(); links[at + 1].focus(); }
    if (event.key === "ArrowUp") { event.preventDefault(); (at > 0 ? links[at - 1] : input).focus(); }
    if (event.key === "Escape") { input.value = ""; show(); input.focus(); }
  });
  document.getElementById("search-form").addEventListener("submit", function (event) { event.preventDefault(); });
  const asked = new URLSearchParams(window.location.search).get("q");
  if (asked) { input.value = asked; show(); }
})();
