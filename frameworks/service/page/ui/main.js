// Which view is shown, and when it is read again.

import { get, watch } from "./api.js";
import { h } from "./dom.js";
import * as apps from "./apps.js";
import * as app from "./app.js";
import * as edit from "./edit.js";
import * as deployments from "./deployments.js";
import * as logs from "./logs.js";

const main = document.getElementById("main");

// A view is loaded and shown; live ones again whenever something has happened.
const views = [
  [/^#\/apps$/, () => ({ title: "Apps", live: true, load: apps.load, show: apps.show })],
  [/^#\/app(\/.+)$/, (id) => ({ title: id, live: true, load: () => app.load(id), show: app.show })],
  [/^#\/edit(\/.+)$/, (id) => ({ title: `Edit ${id}`, load: () => edit.load(id), show: edit.show })],
  [/^#\/new$/, () => ({ title: "New app", load: () => edit.load(""), show: edit.show })],
  [/^#\/deployments$/, () => ({ title: "Deployments", live: true, load: deployments.load, show: deployments.show })],
  [/^#\/queue$/, () => ({ title: "Queue", live: true, load: deployments.loadQueue, show: deployments.showQueue })],
  [/^#\/logs\/(.+)$/, (task) => ({ title: `Logs of ${task}`, follow: () => logs.show(decodeURIComponent(task)) })],
];

let view = null;
let shown = ""; // the data that is shown, as text
let following = null;

function find() {
  const hash = decodeURI(location.hash || "#/apps");
  for (const [pattern, make] of views) {
    const found = pattern.exec(hash);
    if (found) return make(...found.slice(1));
  }
  return { title: "Not found", load: async () => ({}), show: () => [h("h1", {}, "There is no such page"), h("p", {}, h("a", { href: "#/apps" }, "To the apps"))] };
}

async function go() {
  following?.stop();
  following = null;
  view = find();
  shown = "";
  document.title = `${view.title} · Services`;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === (location.hash || "#/apps")) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  main.inert = true; // nobody acts on what is just being left
  if (view.follow) {
    following = view.follow();
    main.replaceChildren(...following.content.flat(9).filter(Boolean));
  } else {
    const mine = view;
    await refresh(true);
    if (mine !== view) return;
  }
  main.inert = false;
  main.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

// refresh reads the data of the view, and shows it if it is not what is shown.
async function refresh(first) {
  const mine = view;
  if (!mine?.load || !first && !mine.live) return;
  let data;
  try {
    data = await mine.load();
  } catch (e) {
    if (mine === view && first) main.replaceChildren(h("h1", {}, mine.title), h("p", { class: "wrong", role: "alert" }, e.message), h("p", {}, h("a", { href: "#/apps" }, "To the apps")));
    return;
  }
  if (mine !== view) return;
  const text = JSON.stringify(data);
  if (text === shown) return;
  shown = text;
  render(data);
}

// render keeps the focus, and where the cursor is, on what has the same id.
function render(data) {
  const focused = document.activeElement;
  const [start, end] = focused?.type === "search" ? [focused.selectionStart, focused.selectionEnd] : [];
  main.replaceChildren(...view.show(data, () => render(data)).flat(9).filter(Boolean));
  const same = focused?.id && focused !== document.body ? document.getElementById(focused.id) : null;
  if (same && same !== focused) {
    same.focus({ preventScroll: true });
    if (start !== undefined) same.setSelectionRange(start, end);
  }
}

async function badges() {
  try {
    const [all, queue] = await Promise.all([get("/v2/deployments"), get("/v2/queue")]);
    for (const [id, n, what] of [["deploying", all.length, "going on"], ["waiting", queue.queue.length, "waiting"]]) {
      const badge = document.getElementById(id);
      badge.hidden = n === 0;
      badge.replaceChildren(String(n));
      badge.setAttribute("aria-label", `${n} ${what}`);
    }
  } catch {
    // the connection's state says it
  }
}

document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
window.addEventListener("hashchange", go);
watch(() => { badges(); refresh(false); }, (text) => { document.getElementById("connection").textContent = text; });
go();
