// One app: its instances, what keeps it from being as it is to be, and its versions.

import { get, call, appPath, whyPath } from "./api.js";
import { h, ago, state, table, confirm } from "./dom.js";
import { attempt, destroy, killTask, resetDelay, restart, scale, suspend } from "./actions.js";
import { health, round, status } from "./apps.js";
import { settings } from "./edit.js";

export async function load(id) {
  const embeds = ["tasks", "counts", "deployments", "lastTaskFailure", "taskStats"].map((e) => `embed=app.${e}`).join("&");
  const [app, why, versions] = await Promise.all([
    get(appPath(id, `?${embeds}`)), get(whyPath(id)).catch(() => null), get(appPath(id, "/versions")),
  ]);
  return { app: app.app, why, versions: versions.versions };
}

export function show({ app, why, versions }) {
  const queued = why?.waiting > 0 ? { delay: {} } : null;
  return [
    h("p", {}, h("a", { href: "#/apps" }, "Apps"), " / ", app.id.slice(1)),
    h("h1", {}, app.id),
    h("div", { class: "row" }, state(...status(app, queued)), h("span", {}, health(app)),
      h("span", { class: "faint" }, `each: ${round(app.cpus)} CPUs, ${round(app.mem)} MiB`)),
    buttons(app, why),
    reasons(why),
    failure(app.lastTaskFailure),
    h("h2", {}, "Instances"),
    table(`${app.tasks.length} instances of ${app.id}`, ["Task", "Status", "Health", "Where", "Version", "Started", ""],
      [...app.tasks].sort((a, b) => (a.id < b.id ? -1 : 1)).map((t) => task(app, t)), "No instance runs."),
    h("h2", {}, "Versions"),
    table(`Versions of ${app.id}, newest first`, ["Version", "Since", ""], versions.slice(0, 20).map((v, i) => version(app, v, i === 0)), "None."),
    h("h2", {}, "Configuration"),
    h("pre", { tabindex: 0, "aria-label": "Configuration as JSON" }, JSON.stringify(settings(app), null, 2)),
  ];
}

function buttons(app, why) {
  const button = (id, text, what, kind) => h("button", { id, type: "button", class: kind, onclick: what }, text);
  return h("div", { class: "row", role: "group", "aria-label": "Actions" },
    button("scale", "Scale", () => scale(app), "first"),
    h("a", { class: "button", id: "edit", href: `#/edit${app.id}` }, "Edit"),
    button("restart", "Restart", () => restart(app)),
    app.instances > 0 && button("suspend", "Suspend", () => suspend(app)),
    why?.waiting > 0 && button("reset-delay", "Launch without delay", () => resetDelay(app.id)),
    button("destroy", "Destroy", () => destroy(app), "bad"));
}

function reasons(why) {
  if (!why?.reasons?.length) return null;
  return h("section", { "aria-labelledby": "why" }, h("h2", { id: "why" }, "Why it is not as it should be"),
    h("ul", {}, why.reasons.map((r) => h("li", {}, r))));
}

function failure(f) {
  if (!f) return null;
  return h("p", { class: "faint" }, "Last failure: ", h("code", {}, f.taskId), ` ${f.state} on ${f.host} `, ago(f.timestamp), f.message ? `: ${f.message}` : "");
}

function task(app, t) {
  const results = t.healthCheckResults ?? [];
  const alive = results.length ? (results.every((r) => r.alive) ? ["good", "Healthy"] : ["failed", "Unhealthy"]) : ["idle", app.healthChecks?.length ? "Not checked yet" : "No check"];
  const failed = results.find((r) => !r.alive && r.lastFailureCause);
  return [
    h("code", {}, t.id), t.state.replace("TASK_", "").toLowerCase(),
    h("span", {}, state(...alive), failed && h("span", { class: "wrong" }, failed.lastFailureCause)),
    h("span", {}, where(t)), h("span", { title: t.version }, t.version === app.version ? "current" : "old"), ago(t.startedAt ?? t.stagedAt),
    h("span", {},
      h("a", { href: `#/logs/${encodeURIComponent(t.id)}`, "aria-label": `Logs of ${t.id}` }, "Logs"), " ",
      h("button", { type: "button", id: `kill-${t.id}`, "aria-label": `Kill ${t.id}`, onclick: () => killTask(t.id, t.localVolumes?.length > 0) }, "Kill")),
  ];
}

const where = (t) => (t.ports?.length ? t.ports.map((p, i) => [i ? ", " : "", `${t.host}:${p}`]) : t.host);

function version(app, v, current) {
  return [v, ago(v), current ? "current" : h("button", {
    type: "button", id: `apply-${v}`, "aria-label": `Go back to version ${v}`, onclick: () => goBack(app, v),
  }, "Go back to it")];
}

const goBack = (app, v) => confirm(`Go back to ${v}`, `${app.id} becomes again what it was at ${v}.`, "Go back")
  .then((yes) => yes && attempt(`${app.id} goes back to ${v}.`, (force) => call("PUT", appPath(app.id, force && `?${force}`), { version: v })));
