// Deployments as they go on, and what waits to be launched.

import { get } from "./api.js";
import { h, ago, state, table } from "./dom.js";
import { resetDelay, rollback, steer, stop } from "./actions.js";

const words = { StartApplication: "start", StopApplication: "end", ScaleApplication: "scale", RestartApplication: "replace" };

export async function load() {
  const all = await get("/v2/deployments");
  const details = await Promise.all(all.map((d) => get(`/v2/deployments/${encodeURIComponent(d.id)}`).catch(() => null)));
  return { deployments: details.filter(Boolean) };
}

export function show({ deployments }) {
  return [
    h("h1", {}, "Deployments"),
    deployments.length === 0 && h("p", { class: "faint" }, "Nothing is being changed."),
    deployments.map((d) => h("section", { "aria-label": `Deployment ${d.id}` },
      h("h2", {}, d.affectedApps.map((a, i) => [i ? ", " : "", h("a", { href: `#/app${a}` }, a)])),
      h("p", {}, d.paused ? state("wait", "Paused") : state("busy", `Step ${d.currentStep} of ${d.totalSteps}`), " began ", ago(d.began), " ",
        h("span", { class: "faint" }, d.id)),
      h("progress", { max: d.totalSteps, value: d.currentStep - 1, "aria-label": `Steps of deployment ${d.id}` }),
      h("ol", { class: "steps" }, d.steps.map((s, i) => step(d, s, i + 1))),
      h("div", { class: "row", role: "group", "aria-label": "Actions" },
        d.paused ? act(d, "resume", "Resume", "It goes on.") : act(d, "pause", "Pause", "It is paused."),
        d.progress.some((p) => /canar/i.test(p.waits ?? "")) && act(d, "promote", "Promote the canaries", "It goes on with all instances."),
        h("button", { type: "button", id: `back-${d.id}`, onclick: () => rollback(d) }, "Roll back"),
        h("button", { type: "button", id: `stop-${d.id}`, class: "bad", onclick: () => stop(d) }, "Stop")))),
  ];
}

const act = (d, what, text, done) => h("button", { type: "button", id: `${what}-${d.id}`, onclick: () => steer(d, what, done) }, text);

function step(d, s, number) {
  const now = number === d.currentStep;
  const waits = (app) => now && d.progress.find((p) => p.app === app);
  return h("li", { class: now ? "now" : null, "aria-current": now ? "step" : null },
    s.actions.map((a, i) => [i ? "; " : "", `${words[a.action] ?? a.action} ${a.app}`, waits(a.app)?.waits ? h("span", { class: "faint" }, ` (${waits(a.app).waits})`) : "",
      waits(a.app)?.done ? " ✓" : ""]), number < d.currentStep ? " ✓" : "");
}

export const loadQueue = () => get("/v2/queue");

export function showQueue({ queue }) {
  const rows = queue.map((q) => [
    h("a", { href: `#/app${q.app.id}` }, q.app.id), String(q.count), ago(q.since),
    q.delay.timeLeftSeconds > 0 ? state("failed", `failed before: not for ${q.delay.timeLeftSeconds} s`) : state("wait", "waits for an offer that fits"),
    declined(q.processedOffersSummary),
    q.delay.timeLeftSeconds > 0 ? h("button", { type: "button", id: `now-${q.app.id}`, "aria-label": `Launch ${q.app.id} without delay`, onclick: () => resetDelay(q.app.id) }, "Launch now") : "",
  ]);
  return [h("h1", {}, "Queue"), table("Apps with instances that are not launched yet", ["App", "#Instances", "Since", "State", "Offers that did not fit", ""], rows, "Nothing waits.")];
}

// declined says which reasons struck how many of the last offers.
function declined(s) {
  const struck = (s.rejectSummaryLastOffers ?? []).filter((r) => r.declined > 0);
  if (struck.length === 0) return s.processedOffersCount ? "none" : "nothing was offered yet";
  return struck.map((r) => `${r.reason}: ${r.declined} of ${r.processed}`).join("; ");
}
