// The list of apps.

import { get } from "./api.js";
import { h, state, table } from "./dom.js";

const most = 200; // rows that are shown at once

// status is what an app does, in Marathon's words.
export function status(app, queued) {
  if (app.deployments?.length) return ["busy", "Deploying"];
  if (app.instances === 0 && app.tasksRunning === 0) return ["idle", "Suspended"];
  if (queued?.delay?.timeLeftSeconds > 0) return ["failed", "Delayed"];
  if (queued) return ["wait", "Waiting"];
  return ["good", "Running"];
}

// health is a bar with the same in words.
export function health(app) {
  const unknown = Math.max(app.tasksRunning - app.tasksHealthy - app.tasksUnhealthy, 0);
  const whole = Math.max(app.instances, app.tasksRunning + app.tasksStaged, 1);
  const part = (kind, n) => n > 0 && h("span", { class: kind, style: `width:${(100 * n) / whole}%` });
  const words = [`${app.tasksRunning} of ${app.instances} running`];
  if (app.tasksHealthy) words.push(`${app.tasksHealthy} healthy`);
  if (app.tasksUnhealthy) words.push(`${app.tasksUnhealthy} unhealthy`);
  if (app.tasksStaged) words.push(`${app.tasksStaged} starting`);
  return [words.join(", "), h("span", { class: "bar", "aria-hidden": "true" },
    part("good", app.tasksHealthy), part("busy", unknown), part("wait", app.tasksStaged), part("failed", app.tasksUnhealthy))];
}

const filter = { text: "", status: "", all: false };

export async function load() {
  const [apps, queue] = await Promise.all([get("/v2/apps?embed=apps.counts&embed=apps.deployments"), get("/v2/queue")]);
  return { apps: apps.apps, queue: queue.queue };
}

export function show(data, again) {
  const queued = new Map(data.queue.map((q) => [q.app.id, q]));
  const wanted = data.apps.filter((a) => matches(a, queued.get(a.id))).sort((a, b) => (a.id < b.id ? -1 : 1));
  const shown = filter.all ? wanted : wanted.slice(0, most);
  const rows = shown.map((a) => [
    h("span", {}, h("a", { href: `#/app${a.id}`, id: `app-${a.id}` }, a.id),
      Object.entries(a.labels ?? {}).slice(0, 6).map(([k, v]) => [" ", h("span", { class: "label" }, v ? `${k}: ${v}` : k)])),
    state(...status(a, queued.get(a.id))),
    health(a), String(a.instances), round(a.cpus * a.instances), `${round(a.mem * a.instances)} MiB`,
  ]);
  return [
    h("h1", {}, "Apps"),
    h("div", { class: "row", role: "search" },
      h("label", { for: "find" }, "Find"),
      h("input", { id: "find", type: "search", value: filter.text, oninput: (e) => { filter.text = e.target.value; again(); } }),
      h("label", { for: "status" }, "Status"),
      h("select", { id: "status", onchange: (e) => { filter.status = e.target.value; again(); } },
        ["", "Running", "Deploying", "Waiting", "Delayed", "Suspended"].map((s) => h("option", { value: s, selected: s === filter.status }, s || "any")))),
    table(`${wanted.length} of ${data.apps.length} apps`, ["App", "Status", "Health", "#Instances", "#CPUs", "#Memory"], rows,
      data.apps.length ? "No app is like that." : "There are no apps yet."),
    data.apps.length === 0 && h("p", {}, h("a", { href: "#/new", class: "button" }, "Create the first app")),
    shown.length < wanted.length && h("button", { id: "show-all", type: "button", onclick: () => { filter.all = true; again(); } }, `Show all ${wanted.length}`),
  ];
}

function matches(app, queued) {
  const text = filter.text.toLowerCase();
  const labels = Object.entries(app.labels ?? {}).map(([k, v]) => `${k}:${v}`).join(" ");
  return `${app.id} ${labels}`.toLowerCase().includes(text) && (!filter.status || status(app, queued)[1] === filter.status);
}

export const round = (n) => String(Math.round(n * 100) / 100);
