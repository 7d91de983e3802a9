// One job: what it waits for, when it is due, its runs, and what can be done with it.

import { at, get } from "./api.js";
import { ago, h, state, table } from "./dom.js";
import * as actions from "./actions.js";
import { agent, clock, doing, links, outcome, phase, result, took } from "./words.js";

export async function load(name) {
  const [job, runs, next, why] = await Promise.all([get(at("", name)), get(at("runs", name)), get(at("next", name)), get(at("why", name))]);
  return { job, runs, next, why };
}

export function show({ job, runs, next, why }) {
  const button = (id, text, act, attributes = {}) => h("button", { type: "button", id, onclick: act, ...attributes }, text);
  return [
    h("p", {}, h("a", { href: "#/jobs" }, "Jobs")),
    h("h1", {}, job.name),
    job.description && h("p", {}, job.description),
    h("p", {}, "Last run: ", result(summary(job)), " · now: ", doing(why), job.disabled && [" · ", state("idle", "disabled")]),
    h("div", { class: "row", role: "group", "aria-label": "Actions" },
      button("run", "Run now…", () => actions.run(job.name), { class: "first" }),
      button("kill", "Kill runs", () => actions.kill(job.name), { class: "bad", disabled: runs.active.length === 0 }),
      button("toggle", job.disabled ? "Enable" : "Disable", () => actions.toggle(job.name)),
      button("success", "Mark as successful", () => actions.markSuccess(job.name)),
      h("a", { class: "button", id: "edit", href: `#/edit/${encodeURIComponent(job.name)}` }, "Edit"),
      button("delete", "Delete…", () => actions.remove(job.name), { class: "bad" })),
    h("div", { class: "columns" },
      h("section", { "aria-labelledby": "why" }, h("h2", { id: "why" }, "What it waits for"),
        h("ul", { class: "reasons" }, why.reasons.map((r) => h("li", {}, r)))),
      h("section", { "aria-labelledby": "next" }, h("h2", { id: "next" }, "Next due times"), due(job, next))),
    runs.active.length > 0 && [h("h2", {}, "Runs going on"), active(job, runs.active)],
    h("h2", {}, "History"), history(job, runs.history),
    h("h2", {}, "Definition"), definition(job, why),
  ];
}

function summary(job) {
  if (!job.lastSuccess && !job.lastError) return { status: "fresh" };
  return { status: job.lastError > job.lastSuccess ? "failure" : "success" };
}

function due(job, next) {
  if (job.parents?.length) return h("p", {}, "It runs after ", links(job.parents), ".");
  const zone = job.scheduleTimeZone || "UTC";
  return [
    next.disabled && h("p", { class: "wait" }, "It is disabled: nothing of this is due until it is enabled."),
    table(`Times in ${zone}, as ${next.schedule}`, ["Due", "From now"],
      next.next.map((d) => [[h("time", { datetime: d.time }, d.local.replace("T", " ")), d.note && h("div", { class: "hint" }, d.note)], ago(d.time)]),
      "No repetition is left."),
  ];
}

const logLink = (job, task, stream) => h("a", {
  href: `#/log/${encodeURIComponent(job.name)}/${encodeURIComponent(task)}/${stream}`, "aria-label": `${stream} of ${task}`,
}, stream);

const logLinks = (job, task) => (task ? [logLink(job, task, "stdout"), " ", logLink(job, task, "stderr")] : "");

function active(job, runs) {
  return table("Runs that have not ended, oldest first", ["Due", "State", "Attempt", "Began", "Why it waits", "Logs"],
    runs.map((r) => [
      [clock(r.due), r.manual && h("span", { class: "label" }, "by hand"), r.arguments && h("div", { class: "hint" }, r.arguments)],
      phase(r), `${r.attempt + 1} of ${job.retries + 1}`, ago(r.began),
      r.phase === "delayed" ? ["tried again ", ago(r.wake)] : (r.waiting ?? []).map((w) => h("div", {}, w)), logLinks(job, r.task),
    ]), "");
}

function history(job, runs) {
  return table("What has ended, newest first", ["Due", "Ended", "#Took", "Outcome", "#Exit code", "Agent", "Message", "Logs"],
    runs.map((a) => [
      clock(a.due), ago(a.ended), took(a.duration), outcome(a.outcome), a.task ? String(a.exitCode) : "", agent(a.agent), a.message, logLinks(job, a.task),
    ]), "Nothing has ended yet.");
}

function definition(job, why) {
  const list = [
    ["Command", h("code", {}, [job.command, ...job.arguments].join(" "))],
    ["Schedule", job.schedule && `${job.schedule}${job.scheduleTimeZone ? ` in ${job.scheduleTimeZone}` : ""}`],
    ["After", job.parents?.length && links(job.parents)],
    ["Before", why.dependents.length && links(why.dependents)],
    ["Resources", `${job.cpus} CPUs, ${job.mem} MiB of memory, ${job.disk} MiB of disk`],
    ["Retries", `${job.retries}${job.retryDelay ? `, ${job.retryDelay} apart` : ""}`],
    ["When due while running", job.concurrent ? "both run" : job.overlap === "kill-existing" ? "the old run is killed" : "it is left out"],
    ["Latest begin", job.epsilon && `${job.epsilon} after it was due`],
    ["Limit", job.maxCompletionTime && `${job.maxCompletionTime} s`],
    ["Constraints", job.constraints.map((c) => h("div", {}, c.join(" ")))],
    ["Environment", job.environmentVariables.map((v) => h("div", {}, `${v.name}=${v.value}`))],
    ["Files", [...job.uris, ...job.fetch.map((f) => f.uri)].map((u) => h("div", {}, u))],
    ["Container", job.container && `${job.container.type} ${job.container.image}`],
    ["Owner", [job.ownerName, job.owner].filter(Boolean).join(", ")],
    ["Counts", `${job.successCount} succeeded, ${job.errorCount} failed, ${job.errorsSinceLastSuccess} since the last success`],
  ];
  return h("dl", {}, list.filter(([, value]) => value && value.length !== 0).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}
