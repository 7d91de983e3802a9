// Forms to create and to edit an app. Whatever is submitted is first shown as a plan.

import { get, call, appPath } from "./api.js";
import { h, notice, confirm } from "./dom.js";
import { attempt } from "./actions.js";

const answers = ["tasks", "tasksStaged", "tasksRunning", "tasksHealthy", "tasksUnhealthy", "deployments", "lastTaskFailure", "taskStats",
  "readinessCheckResults", "version", "versionInfo", "ports", "residency"];

// settings are what of an answer can be sent back.
export const settings = (app) => Object.fromEntries(Object.entries(app).filter(([key]) => !answers.includes(key)));

const simple = [
  ["id", "Id", "text", "A path such as /shop/front"], ["cmd", "Command", "text", "Run by a shell"],
  ["instances", "Instances", "number", ""], ["cpus", "CPUs", "number", "Of each instance"],
  ["mem", "Memory in MiB", "number", "Of each instance"], ["disk", "Disk in MiB", "number", "Of each instance"],
  ["image", "Docker image", "text", "Empty: the agent's own files"], ["health", "Path of the health check", "text", "Such as /health, asked by HTTP on the first port"],
];

export const load = async (id) => (id ? { app: settings((await get(appPath(id))).app) } : { app: null });

export function show({ app }) {
  const editing = app !== null;
  const text = h("textarea", { id: "json", spellcheck: "false", "aria-describedby": "json-hint json-wrong" });
  text.value = JSON.stringify(app ?? { id: "/", cmd: "", instances: 1, cpus: 0.1, mem: 64 }, null, 2);
  const wrong = h("span", { class: "wrong", id: "json-wrong", role: "alert" });
  const fields = editing ? null : quick(text);
  return [
    h("p", {}, h("a", { href: "#/apps" }, "Apps"), editing ? [" / ", h("a", { href: `#/app${app.id}` }, app.id.slice(1))] : ""),
    h("h1", {}, editing ? `Edit ${app.id}` : "New app"),
    h("form", { novalidate: true, onsubmit: (event) => { event.preventDefault(); submit(editing ? app.id : "", text, wrong); } },
      fields,
      h("h2", {}, h("label", { for: "json" }, "All settings, as JSON")),
      h("p", { class: "hint", id: "json-hint" }, editing ? "The fields are those of Marathon's API. Nothing happens before you have seen what would." : "The fields are those of Marathon's API."),
      text, wrong,
      h("div", { class: "row" }, h("button", { class: "first", id: "submit", type: "submit" }, editing ? "Show what would change" : "Create"),
        h("a", { class: "button", href: editing ? `#/app${app.id}` : "#/apps" }, "Cancel"))),
  ];
}

// quick are fields that write into the JSON.
function quick(text) {
  const update = (event) => {
    let value;
    try { value = JSON.parse(text.value); } catch { return; }
    change(value, event.target.name, event.target.type === "number" ? number(event.target.value) : event.target.value.trim());
    text.value = JSON.stringify(value, null, 2);
  };
  const initial = JSON.parse(text.value);
  return h("div", { class: "fields" }, simple.map(([name, label, type, hint]) => h("div", {},
    h("label", { for: `field-${name}` }, label),
    h("input", { id: `field-${name}`, name, type, step: "any", min: type === "number" ? 0 : null, value: initial[name] ?? "", oninput: update, "aria-describedby": hint ? `hint-${name}` : null }),
    hint && h("span", { class: "hint", id: `hint-${name}` }, hint))));
}

const number = (s) => (s === "" ? undefined : Number(s));

function change(app, name, value) {
  if (name === "image") app.container = value ? { type: "DOCKER", docker: { image: value } } : undefined;
  else if (name === "health") app.healthChecks = value ? [{ protocol: "HTTP", path: value, portIndex: 0 }] : undefined;
  else app[name] = value === "" ? undefined : value;
}

async function submit(id, text, wrong) {
  wrong.textContent = "";
  text.removeAttribute("aria-invalid");
  let app;
  try {
    app = JSON.parse(text.value);
  } catch (e) {
    return refuse(text, wrong, e.message);
  }
  const [method, path] = id ? ["PUT", appPath(id)] : ["POST", "/v2/apps"];
  // A PUT keeps what it does not name: what was taken out of the text is to go.
  const query = id ? "partialUpdate=false" : "";
  if (id) {
    let plan;
    try {
      plan = await call(method, `${path}?${query}&dryRun=true&force=true`, app);
    } catch (e) {
      return refuse(text, wrong, e.words());
    }
    if (!plan.changes?.some((c) => c.fields.length)) {
      notice("", "Nothing would change.");
      return;
    }
    if (!await confirmPlan(plan)) return;
    if (await attempt(`${id} is changed.`, (force) => call(method, `${path}?${query}${force && `&${force}`}`, app))) location.hash = `#/app${id}`;
    return;
  }
  try {
    const made = await call(method, path, app);
    notice("good", `${made.id} is created.`);
    location.hash = `#/app${made.id}`;
  } catch (e) {
    refuse(text, wrong, e.words());
  }
}

function refuse(text, wrong, message) {
  wrong.textContent = message;
  text.setAttribute("aria-invalid", "true");
  text.focus();
}

const means = {
  created: "is created", removed: "is removed", scaled: "is scaled", edited: "is changed in place: nothing restarts", replaced: "every instance is replaced",
};

// confirmPlan shows what would become of each app.
function confirmPlan(plan) {
  const value = (v) => (v === null || v === undefined ? "nothing" : JSON.stringify(v));
  return confirm("What would change", h("div", {}, plan.changes.map((c) => h("section", {},
    h("p", {}, h("strong", {}, c.app), `: ${means[c.change] ?? c.change}`),
    h("ul", {}, c.fields.map((f) => h("li", {}, h("code", {}, f.path), " ", h("del", {}, value(f.old)), " ", h("ins", {}, value(f.new)))))))), "Deploy");
}
