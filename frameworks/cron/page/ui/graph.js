// The graph of what depends on what: drawn, and in words.

import { get } from "./api.js";
import { h, table } from "./dom.js";
import { inWords, kindOf, link, links } from "./words.js";

const most = 800; // jobs that are drawn
const height = 46;
const gap = { x: 72, y: 20 };

export const load = () => get("/graph/json");

export function show({ nodes, links: all }) {
  const related = new Set(all.flatMap((l) => [l.source, l.target]));
  const drawn = nodes.filter((n) => related.has(n.name)).slice(0, most);
  const alone = nodes.length - related.size;
  return [
    h("h1", {}, "Graph"),
    h("p", {}, `${related.size} of ${nodes.length} jobs depend on each other${alone ? `; ${alone} run by their schedule alone and are not drawn` : ""}.`,
      related.size > most ? ` The first ${most} are drawn.` : ""),
    drawn.length > 0 && h("p", { class: "hint" }, "A thick line is a parent that has succeeded since its dependent last ran. A dashed box is a disabled job."),
    drawn.length > 0 && h("div", { class: "graph", id: "graph", "data-scrolls": "both", tabindex: 0, role: "region", "aria-label": "Graph of jobs" }, draw(drawn, all)),
    drawn.length > 0 && h("h2", {}, "In words"),
    table("What depends on what", ["Job", "State", "Runs after", "Runs before"], drawn.map((n) => [
      link(n.name), h("span", { class: `state ${kindOf(n)}` }, inWords(n)),
      waits(all.filter((l) => l.target === n.name)), links(all.filter((l) => l.source === n.name).map((l) => l.target)),
    ]), "No job depends on another."),
  ];
}

const waits = (parents) => parents.flatMap((l, i) => [i ? ", " : "", link(l.source), l.joined > 0 ? " (succeeded)" : ""]);

function s(tag, attributes, ...children) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
  e.append(...children.filter(Boolean));
  return e;
}

// layout gives every job a column, right of all its parents, and a row near them.
export function layout(names, all) {
  const known = new Set(names);
  const edges = all.filter((l) => known.has(l.source) && known.has(l.target));
  const parents = new Map(names.map((n) => [n, []]));
  const children = new Map(names.map((n) => [n, []]));
  for (const { source, target } of edges) {
    parents.get(target).push(source);
    children.get(source).push(target);
  }
  const column = new Map();
  const left = new Map(names.map((n) => [n, parents.get(n).length]));
  let front = names.filter((n) => left.get(n) === 0);
  for (let at = 0; front.length > 0; at++) {
    const next = [];
    for (const n of front) {
      column.set(n, at);
      for (const c of children.get(n)) {
        left.set(c, left.get(c) - 1);
        if (left.get(c) === 0) next.push(c);
      }
    }
    front = next;
  }
  const columns = [];
  for (const n of names) (columns[column.get(n) ?? 0] ??= []).push(n);
  const row = new Map();
  const settle = () => columns.forEach((c) => c.forEach((n, i) => row.set(n, i - (c.length - 1) / 2)));
  settle();
  const middle = (of, n) => (of.get(n).length ? of.get(n).reduce((sum, o) => sum + row.get(o), 0) / of.get(n).length : row.get(n));
  for (let sweep = 0; sweep < 6; sweep++) {
    const of = sweep % 2 ? children : parents;
    for (const c of columns) c.sort((a, b) => middle(of, a) - middle(of, b));
    settle();
  }
  return { columns, edges };
}

const fits = (name) => (name.length > 30 ? `${name.slice(0, 29)}…` : name);

function draw(nodes, all) {
  const byName = new Map(nodes.map((n) => [n.name, n]));
  const { columns, edges } = layout([...byName.keys()], all);
  const tallest = Math.max(...columns.map((c) => c.length));
  const total = tallest * (height + gap.y) + gap.y;
  const place = new Map();
  let x = 20;
  for (const c of columns) {
    const width = Math.max(...c.map((n) => Math.max(fits(n).length * 7.6, inWords(byName.get(n)).length * 7.2 + 16) + 34), 110);
    const above = (total - c.length * (height + gap.y) + gap.y) / 2;
    c.forEach((n, i) => place.set(n, { x, y: above + i * (height + gap.y), width }));
    x += width + gap.x;
  }
  const tip = s("marker", { id: "tip", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 10, markerHeight: 10, markerUnits: "userSpaceOnUse", orient: "auto" }, s("path", { d: "M0 0 8 4 0 8z", class: "tip" }));
  const width = x - gap.x + 20;
  return s("svg", { width, height: total, viewBox: `0 0 ${width} ${total}`, role: "group", "aria-label": "Jobs, each linked to its page" },
    s("defs", {}, tip),
    ...edges.map((e) => edge(place.get(e.source), place.get(e.target), e)),
    ...[...byName.values()].map((n) => box(n, place.get(n.name), edges)));
}

function edge(from, to, { joined }) {
  const [x1, y1, x2, y2] = [from.x + from.width, from.y + height / 2, to.x - 2, to.y + height / 2];
  const bend = Math.max((x2 - x1) / 2, 30);
  return s("path", { class: joined > 0 ? "edge done" : "edge", d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`, "marker-end": "url(#tip)", "aria-hidden": "true" });
}

function box(n, { x, y, width }, edges) {
  const parents = edges.filter((e) => e.target === n.name).map((e) => e.source);
  const label = `${n.name}: ${inWords(n)}${parents.length ? `; after ${parents.join(", ")}` : ""}`;
  const name = s("text", { x: x + 16, y: y + 19 });
  name.textContent = fits(n.name);
  const state = s("text", { class: "state", x: x + 16, y: y + 36 });
  state.textContent = inWords(n);
  const full = s("title", {});
  full.textContent = label;
  return s("a", { href: `#/job/${encodeURIComponent(n.name)}`, id: `node-${n.name}`, class: `${kindOf(n)}${n.disabled ? " off" : ""}`, "aria-label": label },
    full, s("rect", { x, y, width, height, rx: 6 }), s("rect", { class: "band", x, y: y + 5, width: 6, height: height - 10, rx: 2 }), name, state);
}
