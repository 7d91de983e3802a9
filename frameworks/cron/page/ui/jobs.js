// All jobs.

import { call, at, get } from "./api.js";
import { ago, h, notice, state, table } from "./dom.js";
import { doing, link, links, result } from "./words.js";

const most = 500; // rows that are shown

export const load = async () => (await get("/jobs/summary")).jobs;

const panels = [
  ["All", () => true],
  ["Failed", (j) => j.status === "failure"],
  ["Succeeded", (j) => j.status === "success"],
  ["Never ran", (j) => j.status === "fresh"],
  ["Running", (j) => j.state.endsWith("running")],
  ["Queued", (j) => j.state === "queued"],
  ["Idle", (j) => j.state === "idle"],
  ["Disabled", (j) => j.disabled],
];

// What is looked for stays when one comes back.
let panel = "All";
let words = "";
let typing = 0;

export function show(jobs, again) {
  const search = h("input", { type: "search", id: "search", value: words, "aria-label": "Search names and tags", placeholder: "name or tag" });
  search.addEventListener("input", () => {
    words = search.value;
    clearTimeout(typing);
    typing = setTimeout(again, 120);
  });
  const keep = panels.find(([name]) => name === panel)[1];
  const tags = (j) => Object.entries(j.tags ?? {}).map(([k, v]) => `${k}=${v}`);
  const wanted = words.toLowerCase();
  const found = jobs.filter((j) => keep(j) && [j.name, ...tags(j)].some((t) => t.toLowerCase().includes(wanted)));
  return [
    h("h1", {}, "Jobs"),
    h("div", { class: "row" }, search, h("a", { href: "#/new", class: "button" }, "New job")),
    h("div", { class: "panels", role: "group", "aria-label": "Which jobs" }, panels.map(([name, of]) => h("button", {
      type: "button", id: `panel-${name.replace(" ", "-")}`, "aria-pressed": String(panel === name),
      onclick: () => { panel = name; again(); },
    }, name, h("b", {}, String(jobs.filter(of).length))))),
    table(`${found.length} of ${jobs.length} jobs${found.length > most ? `, the first ${most} of them; search for others` : ""}`,
      ["Job", "Last run", "Now", "Next run", "Runs", "Actions"],
      found.slice(0, most).map((j) => [
        [link(j.name), " ", tags(j).map((t) => h("span", { class: "label" }, t))],
        result(j), doing(j), next(j),
        j.parents.length ? ["after ", links(j.parents)] : j.schedule,
        h("button", { type: "button", id: `run-${j.name}`, "aria-label": `Run ${j.name} now`, onclick: () => run(j.name) }, "Run now"),
      ]),
      jobs.length === 0 ? "There are no jobs yet." : "No job is like that."),
  ];
}

function next(j) {
  if (j.disabled) return state("idle", "disabled");
  if (!j.next) return h("span", { class: "faint" }, j.parents.length ? "after its parents" : "never again");
  if (Date.parse(j.next) < Date.now() - 5000) return [state("failed", "overdue"), " ", ago(j.next)];
  return ago(j.next);
}

async function run(name) {
  try {
    await call("PUT", at("", name));
    notice("good", `${name} is on its way.`);
  } catch (e) {
    notice("failed", e.message);
  }
}
