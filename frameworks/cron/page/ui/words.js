// How states are shown: always a colour and a word.

import { h, state } from "./dom.js";

const results = { success: ["good", "succeeded"], failure: ["failed", "failed"], fresh: ["idle", "never ran"] };

export const result = (job) => state(...(results[job.status] ?? ["idle", job.status]));

// kindOf is the colour of what a job does now, else of how it came out last.
export function kindOf(job) {
  if (job.state.endsWith("running")) return "busy";
  if (job.state === "queued") return "wait";
  return results[job.status]?.[0] ?? "idle";
}

export const doing = (job) => state(job.state === "idle" ? "idle" : kindOf(job), job.state);

// inWords says all of a job's state, for the graph.
export function inWords(job) {
  const words = job.state === "idle" ? (results[job.status]?.[1] ?? job.status) : job.state;
  return job.disabled ? `${words}, disabled` : words;
}

const outcomes = { succeeded: "good", failed: "failed", killed: "wait", missed: "wait", skipped: "idle", dropped: "idle" };
export const outcome = (o) => state(outcomes[o] ?? "idle", o);

const phases = { running: "busy", awaited: "busy", launched: "wait", delayed: "wait", waiting: "wait" };
export const phase = (run) => state(phases[run.phase] ?? "idle", run.killing ? `${run.phase}, being killed` : run.phase);

// clock is a time in UTC, to the second.
export const clock = (t) => (t ? h("time", { datetime: t }, t.replace("T", " ").replace(/\.\d+Z$/, "Z")) : "");

// took says how long something lasted.
export function took(ms) {
  if (!ms) return "";
  if (ms < 100) return `${Math.ceil(ms)} ms`;
  const s = ms / 1000;
  if (s < 60) return `${s < 10 ? s.toFixed(1) : Math.round(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`;
  return `${Math.floor(s / 3600)} h ${Math.round((s % 3600) / 60)} min`;
}

// agent is an agent's id, of which the end tells it from others of a cluster.
export const agent = (id) => (id.length > 20 ? h("span", { title: id }, `…${id.slice(-12)}`) : id);

export const link = (name) => h("a", { href: `#/job/${encodeURIComponent(name)}` }, name);
export const links = (names) => names.flatMap((n, i) => (i ? [", ", link(n)] : [link(n)]));
