// What people have a job do.

import { at, call, get, put } from "./api.js";
import { ask, confirm, h, notice } from "./dom.js";

async function attempt(words, act) {
  try {
    await act();
    notice("good", words);
    return true;
  } catch (e) {
    notice("failed", e.message);
    return false;
  }
}

export async function run(name) {
  const args = await ask(`Run ${name} now`, "Run", (content) => {
    const field = h("input", { id: "arguments", type: "text", size: 40 });
    content.append(h("label", { for: "arguments" }, "Arguments for the end of its command, if any"), field);
    return () => field.value;
  });
  if (args === null) return;
  await attempt(`${name} is on its way.`, () => call("PUT", at("", name) + (args ? `?${new URLSearchParams({ arguments: args })}` : "")));
}

export async function kill(name) {
  if (!await confirm(`Kill all runs of ${name}?`, "They are not retried, and do not count as failures.", "Kill")) return;
  await attempt(`The runs of ${name} are being killed.`, () => call("DELETE", `/task/kill/${encodeURIComponent(name)}`));
}

// toggle reads the job first, so that nobody's change since is lost.
export async function toggle(name) {
  let disabled;
  await attempt(`${name} is changed.`, async () => {
    const job = await get(at("", name));
    disabled = job.disabled = !job.disabled;
    await put(job, Boolean(job.parents?.length));
  });
  return disabled;
}

export async function markSuccess(name) {
  if (!await confirm(`Mark ${name} as successful?`, "What depends on it goes on as if it had succeeded.", "Mark")) return;
  await attempt(`${name} counts as successful.`, () => call("PUT", at("success", name)));
}

export async function remove(name) {
  if (!await confirm(`Delete ${name}?`, "Its runs are killed, and its history is gone.", "Delete")) return;
  try {
    await call("DELETE", at("", name));
  } catch (e) {
    if (e.status !== 409) return notice("failed", e.message);
    if (!await confirm(`Delete ${name} and all that depend on it?`, e.message, "Delete all of them")) return undefined;
    if (!await attempt(`${name} is deleted, with all that depended on it.`, () => call("DELETE", `${at("", name)}?cascade=true`))) return undefined;
    location.hash = "#/jobs";
    return undefined;
  }
  notice("good", `${name} is deleted.`);
  location.hash = "#/jobs";
  return undefined;
}
