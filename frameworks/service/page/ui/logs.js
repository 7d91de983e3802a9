// What a task has written, followed as it goes on.

import { get, taskPath } from "./api.js";
import { h } from "./dom.js";

const keep = 256 * 1024; // characters that are shown
const tail = 32 * 1024; // bytes that are read at first

// show follows a file until stop is called.
export function show(task) {
  const output = h("pre", { id: "log", tabindex: 0, "aria-label": `Output of ${task}` });
  const note = h("p", { class: "faint", role: "status" }, "Reading…");
  const files = h("select", { id: "file" }, ["stdout", "stderr"].map((f) => h("option", { value: f }, f)));
  const follow = h("input", { type: "checkbox", id: "follow", checked: true });
  let stopped = false;
  let round = 0;

  async function run(mine) {
    output.textContent = "";
    let offset = -1;
    while (!stopped && mine === round) {
      let wait = 1000;
      try {
        if (offset < 0) offset = Math.max((await get(taskPath(task, { file: files.value, offset: -1 }))).offset - tail, 0);
        const piece = await get(taskPath(task, { file: files.value, offset }));
        if (mine !== round) return;
        note.textContent = `${files.value}, followed as it is written`;
        if (piece.data) {
          offset += new TextEncoder().encode(piece.data).length;
          output.append(piece.data);
          if (output.textContent.length > keep) output.textContent = output.textContent.slice(-keep);
          if (follow.checked) output.scrollTop = output.scrollHeight;
          wait = 50;
        }
      } catch (e) {
        note.textContent = e.message;
        wait = 3000;
      }
      await new Promise((done) => setTimeout(done, wait));
    }
  }

  files.addEventListener("change", () => run(++round));
  list(task, files);
  run(++round);
  return {
    stop: () => { stopped = true; },
    content: [
      h("p", {}, h("a", { href: "#/apps" }, "Apps")),
      h("h1", {}, `Logs of ${task}`),
      h("div", { class: "row" }, h("label", { for: "file" }, "File"), files, h("label", {}, follow, " scroll along")),
      note, output,
    ],
  };
}

// list adds the other files of the sandbox to those one can choose.
async function list(task, files) {
  try {
    for (const f of await get(taskPath(task, {}))) {
      if (!f.folder && !["stdout", "stderr"].includes(f.name)) files.append(h("option", { value: f.name }, `${f.name} (${f.size} bytes)`));
    }
  } catch {
    // run says why nothing can be read
  }
}
