// What the pages do beyond being read. They are whole without it.
"use strict";
document.documentElement.classList.add("js");

// Dark or light: as the system says, until the reader chooses. Where storage is refused the choice holds for one page.
const theme = {
  button: document.getElementById("theme"),
  stored() {
    try { return localStorage.getItem("theme"); } catch { return null; }
  },
  dark() {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  },
  show() {
    theme.button.textContent = theme.dark() ? "Light" : "Dark";
  },
  set(name) {
    document.documentElement.dataset.theme = name;
    theme.show();
  },
};
if (["dark", "light"].includes(theme.stored())) document.documentElement.dataset.theme = theme.stored();
theme.show();
theme.button.hidden = false;
theme.button.addEventListener("click", () => {
  theme.set(theme.dark() ? "light" : "dark");
  try { localStorage.setItem("theme", document.documentElement.dataset.theme); } catch { /* holds for this page */ }
});

const matrix = document.querySelector(".matrix");
if (matrix) startMatrix();
if (document.getElementById("chosen")) startChanges();
openTarget();
addEventListener("hashchange", openTarget);

// A link to something folded unfolds it.
function openTarget() {
  const id = decodeURIComponent(location.hash.slice(1));
  const target = id && !id.startsWith("?") && document.getElementById(id);
  if (target instanceof HTMLDetailsElement) target.open = true;
}

function startMatrix() {
  const ask = {
    words: document.getElementById("q"),
    chapter: document.getElementById("chapter"),
    differs: document.getElementById("differs"),
    verdicts: [...document.querySelectorAll(".legend button")],
  };
  const kernels = [...matrix.tHead.rows[0].cells].slice(1).map((head) => head.textContent.trim());
  const meaning = new Map(ask.verdicts.map((button) => [button.dataset.v, button.textContent.trim() + ": " + button.title]));
  const groups = [...matrix.tBodies].map((body) => ({
    body,
    chapter: body.dataset.c,
    rows: [...body.rows].slice(1).map((row) => {
      const cells = [...row.cells].slice(1);
      return {
        row,
        text: (row.cells[0].textContent + " " + row.dataset.t).toLowerCase(),
        letters: new Set(cells.map((cell) => cell.textContent.trim())),
        differs: "d" in row.dataset,
      };
    }),
  }));
  const total = groups.reduce((sum, group) => sum + group.rows.length, 0);
  document.getElementById("asks").hidden = false;
  for (const button of ask.verdicts) {
    const occurs = groups.some((group) => group.rows.some((row) => row.letters.has(button.dataset.v)));
    button.hidden = !occurs;
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      apply();
    });
  }
  for (const field of [ask.words, ask.chapter, ask.differs]) {
    field.addEventListener("input", () => {
      apply();
      // What is found is to be seen by whoever asked.
      if (matrix.tHead.getBoundingClientRect().bottom > innerHeight * 0.7) document.getElementById("matrix-title").scrollIntoView();
    });
  }
  document.getElementById("reset").addEventListener("click", reset);

  const pressed = () => ask.verdicts.filter((b) => b.getAttribute("aria-pressed") === "true").map((b) => b.dataset.v);

  function filter() {
    const words = ask.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const verdicts = pressed();
    let shown = 0;
    for (const group of groups) {
      let inGroup = 0;
      for (const entry of group.rows) {
        const show = (!ask.chapter.value || ask.chapter.value === group.chapter) &&
          (!ask.differs.checked || entry.differs) &&
          (!verdicts.length || verdicts.some((v) => entry.letters.has(v))) &&
          words.every((word) => entry.text.includes(word));
        entry.row.hidden = !show;
        inGroup += show;
      }
      group.body.hidden = inGroup === 0;
      shown += inGroup;
    }
    document.getElementById("shown").value = shown === total ? `${total} rules` : `${shown} of ${total} rules`;
    document.getElementById("nothing").hidden = shown !== 0;
  }

  // What is asked for is in the address, so that it can be sent to somebody.
  function apply() {
    filter();
    const state = new URLSearchParams();
    if (ask.words.value) state.set("q", ask.words.value);
    if (ask.chapter.value) state.set("chapter", ask.chapter.value);
    if (pressed().length) state.set("verdict", pressed().join(""));
    if (ask.differs.checked) state.set("differs", "1");
    const text = state.toString();
    history.replaceState(null, "", "#" + (text ? "?" + text : ""));
  }

  function readAddress() {
    const hash = location.hash.slice(1);
    if (hash.startsWith("?")) {
      const state = new URLSearchParams(hash.slice(1));
      ask.words.value = state.get("q") ?? "";
      ask.chapter.value = state.get("chapter") ?? "";
      ask.differs.checked = state.has("differs");
      const verdicts = state.get("verdict") ?? "";
      for (const b of ask.verdicts) b.setAttribute("aria-pressed", String(verdicts.includes(b.dataset.v)));
      filter();
      document.getElementById("matrix-title").scrollIntoView();
    } else {
      const target = hash ? document.getElementById(decodeURIComponent(hash)) : null;
      if (target?.matches("tr") && target.hidden) reset();
      if (target?.matches("tr")) go(target);
    }
  }

  function reset() {
    ask.words.value = "";
    ask.chapter.value = "";
    ask.differs.checked = false;
    for (const b of ask.verdicts) b.setAttribute("aria-pressed", "false");
    apply();
  }

  let at = null;
  function go(row) {
    at?.classList.remove("at");
    at = row;
    row.classList.add("at");
    row.scrollIntoView({ block: "nearest" });
    row.cells[0].querySelector("a").focus({ preventScroll: true });
  }

  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input, select, textarea");
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Escape") {
      reset();
      if (typing) event.target.blur();
    } else if (typing) {
      return;
    } else if (event.key === "/") {
      event.preventDefault();
      ask.words.focus();
    } else if (event.key === "j" || event.key === "k") {
      const rows = groups.flatMap((group) => group.rows).map((entry) => entry.row).filter((row) => !row.hidden);
      const next = rows.indexOf(at) + (event.key === "j" ? 1 : -1);
      const row = rows[Math.min(Math.max(next, 0), rows.length - 1)];
      if (row) go(row);
    }
  });

  // A cell says what it is, and leads to its line on the page of its rule.
  const nameOf = (cell) => {
    const letter = cell.textContent.trim();
    return letter && cell.closest("tr[id]") ? `${kernels[cell.cellIndex - 1]}: ${meaning.get(letter)}` : "";
  };
  matrix.addEventListener("pointerover", (event) => {
    const cell = event.target.closest("td");
    if (cell && !cell.title) cell.title = nameOf(cell);
  });
  matrix.addEventListener("click", (event) => {
    const cell = event.target.closest("tr[id] td:not(:empty)");
    if (cell) location.href = `rules/${cell.parentNode.id}.html#k${cell.cellIndex}`;
  });

  filter();
  readAddress();
  addEventListener("hashchange", readAddress);
}

function startChanges() {
  const data = JSON.parse(document.getElementById("data").textContent);
  const before = document.getElementById("before");
  const after = document.getElementById("after");
  const names = { C: "conforms", B: "backported", A: "absent", K: "known", D: "deviates", S: "splat", X: "crash", T: "timeout", E: "broken" };
  for (const select of [before, after]) {
    data.kernels.forEach((name, i) => select.add(new Option(name, String(i))));
    select.addEventListener("input", show);
  }
  document.getElementById("chosen").hidden = false;
  before.value = "0";
  after.value = String(data.kernels.length - 1);
  show();

  function element(name, content, attributes = {}) {
    const made = Object.assign(document.createElement(name), attributes);
    made.append(...[content].flat());
    return made;
  }

  function verdict(letter) {
    return element("td", [letter + " ", element("small", names[letter])], { className: letter.toLowerCase() });
  }

  function show() {
    const [from, to] = [Number(before.value), Number(after.value)];
    const rows = data.rules.filter(([, , letters]) =>
      names[letters[from]] && names[letters[to]] && letters[from] !== letters[to]);
    document.getElementById("count").value = rows.length === 1 ? "1 rule differs" : `${rows.length} rules differ`;
    const result = document.getElementById("result");
    result.replaceChildren();
    if (!rows.length) return;
    const head = element("tr", [data.kernels[from], data.kernels[to], "Rule"].map((text) => element("th", text, { scope: "col" })));
    const body = rows.map(([id, states, letters]) => element("tr", [
      verdict(letters[from]), verdict(letters[to]),
      element("td", [element("a", states, { href: `rules/${id}.html` }), " ", element("code", id)]),
    ]));
    result.append(element("table", [element("thead", head), element("tbody", body)], { className: "changes" }));
  }
}
