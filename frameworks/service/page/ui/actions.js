// What people do to apps, tasks and deployments.

import { call, appPath } from "./api.js";
import { h, ask, confirm, notice } from "./dom.js";

// attempt does something and tells how it went. When deployments are in the way it
// asks whether they are to be given up. It gives the answer, or null.
export async function attempt(done, request) {
  try {
    const answer = await request("");
    notice("good", done);
    return answer ?? {};
  } catch (e) {
    if (e.status !== 409 || e.deployments.length === 0) {
      notice("failed", e.words ? e.words() : String(e));
      return null;
    }
    const which = e.deployments.map((d) => d.id).join(", ");
    if (!await confirm("A deployment is in the way", `${e.message}\nDeployments: ${which}. Give them up, and do this?`, "Give up and go on")) return null;
    try {
      const answer = await request("force=true");
      notice("good", done);
      return answer ?? {};
    } catch (again) {
      notice("failed", again.words ? again.words() : String(again));
      return null;
    }
  }
}

const query = (...parts) => {
  const all = parts.filter(Boolean).join("&");
  return all ? `?${all}` : "";
};

export async function scale(app) {
  const count = await ask(`Scale ${app.id}`, "Scale", (content) => {
    const field = h("input", { type: "number", min: 0, step: 1, required: true, value: app.instances, id: "scale-to" });
    content.append(h("label", { for: "scale-to" }, "Instances"), field);
    return () => {
      const n = Number(field.value);
      if (field.value === "" || !Number.isInteger(n) || n < 0) throw new Error("Instances must be a whole number, 0 or more.");
      return { n };
    };
  });
  if (count) await attempt(`${app.id} is to have ${count.n} instances.`, (force) => call("PUT", appPath(app.id, query(force)), { instances: count.n }));
}

export const restart = (app) => confirm(`Restart ${app.id}`, "Every instance is replaced, in the way that the app's upgrade strategy says.", "Restart")
  .then((yes) => yes && attempt(`${app.id} restarts.`, (force) => call("POST", appPath(app.id, `/restart${query(force)}`))));

export const suspend = (app) => confirm(`Suspend ${app.id}`, "All instances are ended; the app stays, with 0 instances.", "Suspend")
  .then((yes) => yes && attempt(`${app.id} is suspended.`, (force) => call("PUT", appPath(app.id, query(force)), { instances: 0 })));

export async function destroy(app) {
  const yes = await ask(`Destroy ${app.id}`, "Destroy", (content) => {
    const field = h("input", { id: "destroy-id", autocomplete: "off" });
    content.append(h("p", {}, "All instances are ended, and the app is removed with all its versions."),
      h("label", { for: "destroy-id" }, `Type ${app.id} to go on`), field);
    return () => {
      if (field.value !== app.id) throw new Error(`That is not ${app.id}.`);
      return true;
    };
  });
  if (yes && await attempt(`${app.id} is destroyed.`, (force) => call("DELETE", appPath(app.id, query(force))))) location.hash = "#/apps";
}

export const resetDelay = (id) => attempt(`${id} is launched again without waiting.`, () => call("DELETE", `/v2/queue${appPath(id).slice("/v2/apps".length)}/delay`));

export async function killTask(task, resident) {
  const choice = await ask(`Kill ${task}`, "Kill", (content) => {
    const less = h("input", { type: "checkbox", id: "kill-scale" });
    const wipe = h("input", { type: "checkbox", id: "kill-wipe" });
    content.append(h("p", {}, "Another instance is started in its place, unless the app is to have one less."),
      h("label", {}, less, " and have one instance less"), resident && h("label", {}, wipe, " and give its volumes up, with their data"));
    return () => ({ scale: less.checked, wipe: wipe.checked });
  });
  if (choice) {
    await attempt(`${task} is being killed.`, (force) => call("POST", `/v2/tasks/delete${query(force, choice.scale && "scale=true", choice.wipe && "wipe=true")}`, { ids: [task] }));
  }
}

export const rollback = (d) => confirm(`Roll back deployment ${d.id}`, "Another deployment takes back what this one changes.", "Roll back")
  .then((yes) => yes && attempt("It is rolled back.", () => call("DELETE", `/v2/deployments/${encodeURIComponent(d.id)}`)));

export const stop = (d) => confirm(`Stop deployment ${d.id}`, "It ends where it is: some instances may be of the old version and some of the new one.", "Stop")
  .then((yes) => yes && attempt("It is stopped.", () => call("DELETE", `/v2/deployments/${encodeURIComponent(d.id)}?force=true`)));

export const steer = (d, what, done) => attempt(done, () => call("POST", `/v2/deployments/${encodeURIComponent(d.id)}/${what}`));
