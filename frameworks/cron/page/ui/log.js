// What a task has written, read again as it goes on.

import { at, text } from "./api.js";
import { h } from "./dom.js";

const tail = 65536; // bytes

export async function load(name, task, stream) {
  return { name, task, stream, text: await text(`${at("log", name)}?${new URLSearchParams({ task, stream, bytes: tail })}`) };
}

export function show({ name, task, stream, text }) {
  const other = stream === "stdout" ? "stderr" : "stdout";
  const output = h("pre", { id: "log", "data-scrolls": "end", tabindex: 0, role: "region", "aria-label": `${stream} of ${task}` }, text);
  const to = (s) => `#/log/${encodeURIComponent(name)}/${encodeURIComponent(task)}/${s}`;
  return [
    h("p", {}, h("a", { href: "#/jobs" }, "Jobs"), " / ", h("a", { href: `#/job/${encodeURIComponent(name)}` }, name)),
    h("h1", {}, `${stream} of ${name}`),
    h("p", { class: "hint" }, `Task ${task}, the last ${tail / 1024} KiB. `, h("a", { href: to(other), id: "other" }, `Show ${other}`)),
    text ? output : h("p", { class: "faint" }, "Nothing is written there."),
  ];
}
