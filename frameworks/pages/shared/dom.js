// What makes elements, and says times and errors in words.

// h makes an element. Text is always text: nothing that came from somewhere else is
// ever read as HTML.
export function h(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) e.addEventListener(name.slice(2), value);
    else if (name === "value") e.value = value;
    else if (name === "style") e.style.cssText = value; // the attribute itself is forbidden by the page's policy
    else e.setAttribute(name, value === true ? "" : value);
  }
  e.append(...children.flat(9).filter((c) => c !== null && c !== undefined && c !== false));
  return e;
}

export const state = (kind, text) => h("span", { class: `state ${kind}` }, text);

// table has a caption that says what it is; rows are lists of cells.
export function table(caption, heads, rows, none) {
  if (rows.length === 0) return h("p", { class: "faint" }, none);
  const numeric = (head) => (head.startsWith("#") ? "number" : null);
  return h("div", { class: "scroll" }, h("table", {},
    h("caption", {}, caption),
    h("thead", {}, h("tr", {}, heads.map((t) => h("th", { scope: "col", class: numeric(t) }, t.replace("#", ""))))),
    h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((c, i) => h("td", { class: numeric(heads[i]) }, c)))))));
}

// ago says how long a time is past.
export function ago(text) {
  if (!text) return "";
  const seconds = Math.round((Date.now() - Date.parse(text)) / 1000);
  const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const [unit, size] = units.find(([, n]) => Math.abs(seconds) >= n) ?? units[3];
  const n = Math.abs(Math.trunc(seconds / size));
  const words = `${n} ${unit}${n === 1 ? "" : "s"}`;
  return h("time", { datetime: text, title: text }, seconds >= 0 ? `${words} ago` : `in ${words}`);
}

// notice tells something until it is closed; what went well goes by itself, or when
// something else is told.
export function notice(kind, text) {
  const close = h("button", { type: "button", "aria-label": "Close this notice" }, "×");
  const box = h("div", { class: `notice ${kind}`, role: kind === "failed" ? "alert" : null }, h("div", {}, text), close);
  close.addEventListener("click", () => box.remove());
  const notices = document.getElementById("notices");
  for (const old of notices.querySelectorAll(".notice:not(.failed)")) old.remove();
  notices.append(box);
  if (kind !== "failed") setTimeout(() => box.remove(), 8000);
}

// ask shows a dialog and gives what make's result has, or null if it is given up.
// fill gets what is in it, and gives a function that reads the result, or throws.
export function ask(title, first, fill) {
  return new Promise((done) => {
    const content = h("div", {});
    const wrong = h("span", { class: "wrong", role: "alert" });
    const read = fill(content);
    let result = null;
    const form = h("form", { method: "dialog" }, h("h2", { id: "dialog-title" }, title), content, wrong,
      h("div", { class: "row" },
        h("button", { class: "first", type: "submit" }, first),
        h("button", { type: "button", onclick: () => dialog.close() }, "Cancel")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      try {
        result = read();
        dialog.close();
      } catch (e) {
        wrong.textContent = e.message;
      }
    });
    const dialog = h("dialog", { "aria-labelledby": "dialog-title" }, form);
    const before = document.activeElement?.id;
    dialog.addEventListener("close", () => {
      dialog.remove();
      document.getElementById(before)?.focus();
      done(result);
    });
    document.getElementById("dialogs").append(dialog);
    dialog.showModal();
  });
}

export const confirm = (title, text, first) => ask(title, first, (content) => {
  content.append(h("p", {}, text));
  return () => true;
});
