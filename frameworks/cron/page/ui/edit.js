// The form of a job, new or not.

import { at, get, put } from "./api.js";
import { h, notice } from "./dom.js";
import { fields, filesOf, flags, overlapOf, withFiles } from "./form.js";

export async function load(name) {
  const [job, all] = await Promise.all([name ? get(at("", name)) : {}, get("/jobs/summary")]);
  return { job, name, all: all.jobs.map((j) => j.name) };
}

export function show({ job, name, all }) {
  const wrong = h("div", { class: "wrong", role: "alert", id: "wrong" });
  const dependent = Boolean(job.parents?.length);
  const input = (key) => field(key, key === "files" ? filesOf(job) : fields[key].show(job[key]), { readonly: key === "name" && Boolean(name) });
  const bySchedule = h("div", { class: "fields" }, input("schedule"), input("scheduleTimeZone"), h("div", { class: "wide", "aria-live": "polite", id: "preview" }));
  const byParents = h("div", { class: "fields" }, input("parents"));
  byParents.querySelector("input").setAttribute("list", "jobs");
  const kind = (value, text, on) => h("label", {}, h("input", { type: "radio", name: "kind", value, checked: on, id: `kind-${value}`, onchange: choose }), ` ${text}`);
  function choose() {
    const scheduled = form.elements.kind.value === "schedule";
    bySchedule.hidden = !scheduled;
    byParents.hidden = scheduled;
  }
  const group = (legend, ...content) => h("fieldset", {}, h("legend", {}, legend), content);
  const box = (key) => h("label", {}, h("input", { type: "checkbox", id: `f-${key}`, checked: Boolean(job[key]) }), ` ${flags[key]}`);
  const form = h("form", { "aria-label": name ? `Edit ${name}` : "New job", novalidate: true, onsubmit: (e) => { e.preventDefault(); save(form, job, wrong); } },
    wrong,
    group("What runs", h("div", { class: "fields" }, input("name"), wide(input("command")))),
    group("When", h("div", { class: "row", role: "radiogroup", "aria-label": "When it runs" },
      kind("schedule", "by a schedule", !dependent), kind("parents", "after other jobs", dependent)), bySchedule, byParents),
    group("With what", h("div", { class: "fields" }, ["cpus", "mem", "disk", "runAsUser"].map(input),
      ["environmentVariables", "files", "constraints", "container"].map((k) => wide(input(k))))),
    group("How runs are treated", h("div", { class: "fields" }, ["retries", "retryDelay", "epsilon", "maxCompletionTime"].map(input), overlap(job)),
      h("div", { class: "checks" }, Object.keys(flags).map(box))),
    group("For people", h("div", { class: "fields" }, ["owner", "ownerName"].map(input), ["description", "tags"].map((k) => wide(input(k))))),
    h("datalist", { id: "jobs" }, all.map((n) => h("option", { value: n }))),
    h("div", { class: "row" }, h("button", { class: "first", type: "submit", id: "save" }, name ? "Save" : "Create"),
      h("a", { class: "button", href: name ? `#/job/${encodeURIComponent(name)}` : "#/jobs" }, "Cancel")));
  choose();
  preview(form);
  return [h("p", {}, h("a", { href: "#/jobs" }, "Jobs")), h("h1", {}, name ? `Edit ${name}` : "New job"), form];
}

const wide = (e) => {
  e.classList.add("wide");
  return e;
};

// field is a labelled input with room for what is wrong with it.
function field(key, value, attributes = {}) {
  const { label, rows, hint, placeholder } = fields[key];
  const described = [hint && `hint-${key}`, `wrong-${key}`].filter(Boolean).join(" ");
  const common = { id: `f-${key}`, "aria-describedby": described, spellcheck: "false", autocomplete: "off", placeholder, ...attributes };
  const input = rows ? h("textarea", { ...common, rows, value }) : h("input", { type: "text", ...common, value });
  return h("div", {}, h("label", { for: `f-${key}` }, label), input,
    hint && h("span", { class: "hint", id: `hint-${key}` }, hint), h("span", { class: "wrong", id: `wrong-${key}` }));
}

function overlap(job) {
  const now = overlapOf(job);
  const options = [["skip", "is left out"], ["allow", "runs beside it"], ["kill-existing", "kills it and runs"]];
  return h("div", {}, h("label", { for: "f-overlap" }, "Due while it still runs"),
    h("select", { id: "f-overlap", "aria-describedby": "wrong-overlap" }, options.map(([v, text]) => h("option", { value: v, selected: v === now }, text))),
    h("span", { class: "wrong", id: "wrong-overlap" }));
}

// preview shows when the schedule that is typed would be due.
function preview(form) {
  const place = form.querySelector("#preview");
  const schedule = form.querySelector("#f-schedule");
  const zone = form.querySelector("#f-scheduleTimeZone");
  let timer = 0;
  let round = 0;
  const update = async () => {
    const mine = ++round;
    if (!schedule.value.trim()) return place.replaceChildren(h("span", { class: "hint" }, "Without a schedule it runs once, now."));
    let content;
    try {
      const { next } = await get(`/preview?${new URLSearchParams({ schedule: schedule.value, scheduleTimeZone: zone.value, n: 5 })}`);
      content = [h("span", { class: "hint" }, next.length ? "It would be due:" : "It would never be due."),
        h("ol", { class: "preview" }, next.map((d) => h("li", {}, d.local.replace("T", " "), d.note ? ` (${d.note})` : "")))];
    } catch (e) {
      content = [h("span", { class: "hint" }, e.details.flatMap((d) => d.errors).join("; ") || e.message)];
    }
    if (mine === round) place.replaceChildren(...content);
    return undefined;
  };
  for (const e of [schedule, zone]) e.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(update, 250); });
  update();
}

// read makes a job of the form; what it does not show stays as it was.
function read(form, before) {
  const job = { ...before };
  const value = (key) => form.querySelector(`#f-${key}`).value;
  for (const key of Object.keys(fields)) {
    if (key === "files") continue;
    try {
      job[key] = fields[key].read(value(key));
    } catch (e) {
      throw Object.assign(new Error(`${fields[key].label}: ${e.message}`), { details: [{ path: key, errors: [e.message] }] });
    }
  }
  Object.assign(job, withFiles(before, value("files")));
  for (const key of Object.keys(flags)) job[key] = form.querySelector(`#f-${key}`).checked;
  const chosen = value("overlap");
  job.concurrent = chosen === "allow";
  job.overlap = chosen === "kill-existing" ? chosen : "";
  if (form.elements.kind.value === "schedule") delete job.parents;
  else delete job.schedule;
  return job;
}

async function save(form, before, wrong) {
  const button = form.querySelector("#save");
  clear(form, wrong);
  button.disabled = true;
  try {
    const job = read(form, before);
    const dependent = form.elements.kind.value === "parents";
    await put(job, dependent);
    notice("good", `${job.name} is saved.`);
    location.hash = `#/job/${encodeURIComponent(job.name)}`;
  } catch (e) {
    tell(form, wrong, e);
  }
  button.disabled = false;
}

function clear(form, wrong) {
  wrong.textContent = "";
  for (const e of form.querySelectorAll("[id^=wrong-]")) e.textContent = "";
  for (const e of form.querySelectorAll("[aria-invalid]")) e.removeAttribute("aria-invalid");
}

// tell puts what is wrong beside its field, and the focus on the first of them.
function tell(form, wrong, error) {
  const rest = [];
  let first = null;
  for (const { path, errors } of error.details ?? []) {
    const head = path.split(/[.[]/)[0];
    const key = head === "uris" || head === "fetch" ? "files" : head;
    const place = form.querySelector(`#wrong-${CSS.escape(key)}`);
    const input = form.querySelector(`#f-${CSS.escape(key)}`);
    if (!place || !input?.checkVisibility()) {
      rest.push(`${path}: ${errors.join(", ")}`);
      continue;
    }
    place.textContent = [place.textContent, (path === head ? "" : `${path}: `) + errors.join(", ")].filter(Boolean).join("; ");
    input.setAttribute("aria-invalid", "true");
    if (!first || input.compareDocumentPosition(first) & Node.DOCUMENT_POSITION_FOLLOWING) first = input;
  }
  const found = (error.details ?? []).length;
  wrong.textContent = found ? [`It is not saved: ${found} field${found === 1 ? " is" : "s are"} wrong.`, ...rest].join(" ") : error.message;
  (first ?? form.querySelector("#save")).focus();
}
