// Which view is shown, and when it is read again.

import { watch } from "./api.js";
import { h } from "./dom.js";
import * as jobs from "./jobs.js";
import * as job from "./job.js";
import * as graph from "./graph.js";
import * as edit from "./edit.js";
import * as log from "./log.js";

const main = document.getElementById("main");

// A view is loaded and shown; live ones again whenever something has happened.
const views = [
  [/^#\/jobs$/, () => ({ title: "Jobs", live: true, load: jobs.load, show: jobs.show })],
  [/^#\/graph$/, () => ({ title: "Graph", live: true, load: graph.load, show: graph.show })],
  [/^#\/new$/, () => ({ title: "New job", load: () => edit.load(""), show: edit.show })],
  [/^#\/job\/([^/]+)$/, (name) => ({ title: name, job: name, live: true, load: () => job.load(name), show: job.show })],
  [/^#\/edit\/([^/]+)$/, (name) => ({ title: `Edit ${name}`, load: () => edit.load(name), show: edit.show })],
  [/^#\/log\/([^/]+)\/([^/]+)\/(stdout|stderr)$/, (name, task, stream) => ({ title: `${stream} of ${name}`, live: true, every: 2000, load: () => log.load(name, task, stream), show: log.show })],
];

let view = null;
let data = null; // that is shown
let shown = ""; // the same as text
let timer = 0;

function find() {
  const hash = location.hash || "#/jobs";
  for (const [pattern, make] of views) {
    const found = pattern.exec(hash);
    if (!found) continue;
    try {
      return make(...found.slice(1).map(decodeURIComponent));
    } catch {
      break; // a broken address
    }
  }
  return { title: "Not found", load: async () => ({}), show: () => [h("h1", {}, "There is no such page"), h("p", {}, h("a", { href: "#/jobs" }, "To the jobs"))] };
}

async function go() {
  view = find();
  shown = "";
  clearInterval(timer);
  if (view.every) timer = setInterval(() => refresh(false), view.every);
  document.title = `${view.title} · Cron`;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === (location.hash || "#/jobs")) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  await refresh(true);
  main.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

// refresh reads the data of the view, and shows it if it is not what is shown.
async function refresh(first) {
  const mine = view;
  if (!first && !mine?.live) return;
  let read;
  try {
    read = await mine.load();
  } catch (e) {
    if (mine !== view || !first && e.status !== 404) return;
    shown = "";
    main.replaceChildren(h("h1", {}, mine.title), h("p", { class: "wrong", role: "alert" }, e.message), h("p", {}, h("a", { href: "#/jobs" }, "To the jobs")));
    return;
  }
  if (mine !== view) return;
  const text = JSON.stringify(read);
  if (text === shown) return;
  [data, shown] = [read, text];
  render();
}

// likeness is what makes an element that was made anew the same for people.
const likeness = (e) => [e.tagName, e.id, e.getAttribute("href"), e.getAttribute("aria-label"), e.id ? "" : e.textContent].join("|");

const placeIn = (e) => ({ left: e.scrollLeft, top: e.scrollTop, end: e.scrollTop + e.clientHeight >= e.scrollHeight - 4 });

// putBack scrolls to where it was; what grows at its end is followed from there.
function putBack(e, place) {
  if (e.dataset.scrolls === "end" && (place?.end ?? true)) e.scrollTop = e.scrollHeight;
  else if (place) e.scrollTo(place.left, place.top);
}

// render keeps the focus, where the cursor is, and what is scrolled to.
function render() {
  const mine = view;
  const focused = main.contains(document.activeElement) && document.activeElement !== main ? document.activeElement : null;
  const same = (e) => [...main.querySelectorAll("a, button, input, select, textarea, [tabindex]")].filter((o) => likeness(o) === likeness(e));
  const nth = focused ? same(focused).indexOf(focused) : -1;
  const [start, end] = focused?.type === "search" ? [focused.selectionStart, focused.selectionEnd] : [];
  const places = new Map([...main.querySelectorAll("[data-scrolls]")].map((e) => [e.id, placeIn(e)]));
  main.replaceChildren(...mine.show(data, () => mine === view && shown && render()).flat(9).filter(Boolean));
  for (const e of main.querySelectorAll("[data-scrolls]")) putBack(e, places.get(e.id));
  if (!focused) return undefined;
  const again = same(focused)[nth];
  if (!again) return main.focus({ preventScroll: true });
  again.focus({ preventScroll: true });
  if (start !== undefined) again.setSelectionRange(start, end);
  return undefined;
}

document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
window.addEventListener("hashchange", go);

// announce tells who does not see the page change: of the job that is shown, and of
// whatever has failed.
function announce({ job, attempt }) {
  if (attempt.outcome !== "failed" && view?.job !== job) return;
  const exit = attempt.task && attempt.outcome === "failed" ? `, exit code ${attempt.exitCode}` : "";
  document.getElementById("announced").textContent = `${job}: ${attempt.outcome}${exit}`;
}

watch(() => refresh(false), (text) => { document.getElementById("connection").textContent = text; }, announce);
go();
