"use strict";
// Draws the matrix from the data in the page. Only what is in view is in the document, so that
// two thousand workloads are as quick as fifty.

const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const OUTSIDE = "outside";

// --- Sets -----------------------------------------------------------------------------------

/** The numbers of runs: the first and last of each. */
function* numbers(runs) {
  for (let at = 0; at < runs.length; at += 2) for (let n = runs[at]; n <= runs[at + 1]; n++) yield n;
}

function holds(runs, number) {
  let low = 0, high = runs.length / 2 - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (number < runs[2 * middle]) high = middle - 1;
    else if (number > runs[2 * middle + 1]) low = middle + 1;
    else return true;
  }
  return false;
}

// --- The map --------------------------------------------------------------------------------

const members = data.members.map(([namespace, name, kind, lone], place) => ({ namespace, name, kind, lone, place }));
const areasOf = members.map(() => []);
data.areas.forEach((area, number) => { for (const place of numbers(area.clients)) areasOf[place].push(number); });

/** What is answered for one pair; a lone pod with itself is not asked. */
function answersOf(client, server) {
  return areasOf[client].map((number) => data.areas[number]).filter((area) => holds(area.servers, server));
}

const NONE = 0, UNDECIDED = 1, SOME = 2, ALL = 3;
const CLASS = ["none", "undecided", "some", "all"];
const rowsKnown = new Map();

/** How much of its traffic a client may open to each server, by place. */
function rowOf(client) {
  let row = rowsKnown.get(client);
  if (!row) {
    row = new Uint8Array(members.length);
    for (const number of areasOf[client]) {
      const area = data.areas[number];
      const grade = area.verdict === "undecided" ? UNDECIDED : area.all && !area.near ? ALL : SOME;
      for (const server of numbers(area.servers)) if (row[server] < grade) row[server] = grade;
    }
    rowsKnown.set(client, row);
  }
  return row;
}

// --- Groups: namespaces and whoever is outside ------------------------------------------------

const groups = [];
for (const member of members) {
  const name = member.namespace || OUTSIDE;
  if (!groups.length || groups[groups.length - 1].name !== name) groups.push({ name, members: [], open: false });
  groups[groups.length - 1].members.push(member.place);
}
for (const group of groups) group.open = members.length <= 60;
const summaries = new Map();

/** How many pairs of two groups may talk, and about how much: grades counted. */
function summary(one, other) {
  const key = one.members[0] * members.length + other.members[0];
  let found = summaries.get(key);
  if (!found) {
    found = [0, 0, 0, 0];
    for (const client of one.members) {
      const row = rowOf(client);
      for (const server of other.members) if (!isUnasked(client, server)) found[row[server]]++;
    }
    summaries.set(key, found);
  }
  return found;
}

const isUnasked = (client, server) =>
  (client === server && members[client].lone) || (!members[client].namespace && !members[server].namespace);

// --- What is shown ----------------------------------------------------------------------------

/** Items are a group, or a member of an open one. */
function itemsFor(text) {
  const wanted = text.trim().toLowerCase();
  const items = [];
  for (const group of groups) {
    const inside = group.members.filter((place) => fits(members[place], wanted));
    if (!inside.length) continue;
    const single = group.members.length === 1;
    if (!single) items.push({ group, label: group.name, places: inside, whole: inside.length === group.members.length });
    if (single || group.open || wanted) {
      for (const place of inside) items.push({ group, place, label: members[place].name, single });
    }
  }
  return items;
}

const fits = (member, wanted) =>
  !wanted || member.name.toLowerCase().includes(wanted) || `${member.namespace || OUTSIDE}/`.includes(wanted);

let rows = [], columns = [], chosen = null;

function gradeOf(row, column) {
  if (row.place !== undefined && column.place !== undefined) {
    return isUnasked(row.place, column.place) ? "self" : CLASS[rowOf(row.place)[column.place]];
  }
  const [none, undecided, some, all] = countsOf(row, column);
  if (!none && !undecided && !some && !all) return "self";
  if (!some && !all) return undecided ? "undecided" : "none";
  if (none || undecided) return "part";
  return some ? "some" : "all";
}

function countsOf(row, column) {
  if (row.whole && column.whole) return summary(row.group, column.group);
  const key = row.whole || column.whole ? `${keyOf(row)} ${keyOf(column)}` : "";
  if (key && counted.has(key)) return counted.get(key);
  const counts = [0, 0, 0, 0];
  for (const client of row.places || [row.place]) {
    const told = rowOf(client);
    for (const server of column.places || [column.place]) if (!isUnasked(client, server)) counts[told[server]]++;
  }
  if (key) counted.set(key, counts);
  return counts;
}

const counted = new Map();
const keyOf = (item) => item.place ?? (item.whole ? item.group.name : item.places.join());

// --- Drawing ----------------------------------------------------------------------------------

const scroll = $("scroll"), grid = $("grid");
const parts = {};
for (const name of ["cells", "rows", "columns", "corner"]) {
  parts[name] = document.createElement("div");
  parts[name].id = name;
  grid.append(parts[name]);
}
const across = document.createElement("span"), down = document.createElement("b");
across.textContent = "server →";
down.textContent = "client ↓";
parts.corner.append(across, down);

const size = (name) => parseInt(getComputedStyle(document.documentElement).getPropertyValue(name), 10);

function rebuild() {
  rows = itemsFor($("clients").value);
  columns = itemsFor($("servers").value);
  const cell = size("--cell");
  grid.style.width = `${size("--left") + columns.length * cell + 24}px`;
  grid.style.height = `${size("--top") + rows.length * cell + 24}px`;
  grid.setAttribute("aria-rowcount", rows.length + 1);
  grid.setAttribute("aria-colcount", columns.length + 1);
  if (chosen && !(rows.some((r) => same(r, chosen.row)) && columns.some((c) => same(c, chosen.column)))) chosen = null;
  redraw();
}

const same = (one, other) => one.group === other.group && one.place === other.place;

function headOf(item, index, isColumn) {
  const head = document.createElement("div");
  const isGroup = item.place === undefined;
  head.className = `head ${isGroup ? "group" : item.single ? "group single" : "inner"}${isColumn ? " column" : ""}`;
  const short = item.single ? item.label : item.label.replace(`${item.group.name}/`, "");
  head.textContent = isGroup ? `${item.group.open ? "▾" : "▸"} ${item.label} (${item.places.length})` : short;
  head.title = item.label;
  head.setAttribute("role", isColumn ? "columnheader" : "rowheader");
  head.setAttribute(isColumn ? "aria-colindex" : "aria-rowindex", index + 2);
  if (isGroup) {
    head.setAttribute("aria-expanded", item.group.open);
    head.dataset.group = groups.indexOf(item.group);
  }
  if (chosen && same(item, isColumn ? chosen.column : chosen.row)) head.classList.add("lit");
  return head;
}

const drawn = new Map();

function at(node, x, y, width) {
  node.style.left = `${x}px`;
  node.style.top = `${y}px`;
  if (width) node.style.width = `${width}px`;
  return node;
}

/** Draw all anew. */
function redraw() {
  drawn.clear();
  for (const name of ["cells", "rows", "columns"]) parts[name].replaceChildren();
  draw();
}

/** Draw what has come into view, and drop what has left it. */
function draw() {
  const cell = size("--cell"), left = size("--left"), top = size("--top");
  const firstRow = Math.max(0, Math.floor(scroll.scrollTop / cell) - 2);
  const lastRow = Math.min(rows.length, Math.ceil((scroll.scrollTop + scroll.clientHeight) / cell) + 2);
  const firstColumn = Math.max(0, Math.floor(scroll.scrollLeft / cell) - 2);
  const lastColumn = Math.min(columns.length, Math.ceil((scroll.scrollLeft + scroll.clientWidth) / cell) + 2);
  const wanted = new Map();
  for (let r = firstRow; r < lastRow; r++) {
    wanted.set(`row ${r}`, [parts.rows, () => at(headOf(rows[r], r, false), 0, top + r * cell, left)]);
    for (let c = firstColumn; c < lastColumn; c++) {
      wanted.set(`${r} ${c}`, [parts.cells, () => at(cellOf(r, c), left + c * cell + 1, top + r * cell + 1)]);
    }
  }
  for (let c = firstColumn; c < lastColumn; c++) {
    wanted.set(`column ${c}`, [parts.columns, () => at(headOf(columns[c], c, true), left + c * cell, top)]);
  }
  for (const [key, node] of drawn) if (!wanted.has(key)) { node.remove(); drawn.delete(key); }
  for (const [key, [part, make]] of wanted) {
    if (!drawn.has(key)) { drawn.set(key, make()); part.append(drawn.get(key)); }
  }
  place(parts.rows, scroll.scrollLeft, 0, left, grid.offsetHeight);
  place(parts.columns, 0, scroll.scrollTop, grid.offsetWidth, top);
  place(parts.corner, scroll.scrollLeft, scroll.scrollTop, left, top);
  if (!rows.length || !columns.length) {
    parts.cells.replaceChildren(at(element("div", "Nobody has such a name.", "empty"), left, top));
  }
}

function place(part, x, y, width, height) {
  part.style.cssText = `left:${x}px;top:${y}px;width:${width}px;height:${height}px`;
}

function cellOf(r, c) {
  const cell = document.createElement("div"), row = rows[r], column = columns[c], grade = gradeOf(row, column);
  cell.className = `cell ${grade}`;
  cell.setAttribute("role", "gridcell");
  cell.setAttribute("aria-rowindex", r + 2);
  cell.setAttribute("aria-colindex", c + 2);
  cell.setAttribute("aria-label", `${row.label} to ${column.label}: ${WORDS[grade]}`);
  cell.title = `${row.label} → ${column.label}: ${WORDS[grade]}`;
  Object.assign(cell.dataset, { client: row.label, server: column.label, row: r, column: c });
  if (grade === "part") {
    const [none, undecided, some, all] = countsOf(row, column);
    cell.style.setProperty("--share", `${Math.round(25 + 50 * (some + all) / (none + undecided + some + all))}%`);
  }
  cell.tabIndex = chosen ? -1 : r + c ? -1 : 0;
  if (chosen && same(row, chosen.row) && same(column, chosen.column)) {
    cell.classList.add("chosen");
    cell.setAttribute("aria-selected", "true");
    cell.tabIndex = 0;
  }
  return cell;
}

const WORDS = {
  all: "all traffic", some: "some traffic", part: "some of the pairs", undecided: "undecided", none: "denied",
  self: "not asked",
};

function choose(r, c) {
  chosen = { row: rows[r], column: columns[c] };
  reveal(r, c);
  redraw();
  parts.cells.querySelector(".chosen")?.focus({ preventScroll: true });
  explain(chosen.row, chosen.column);
  if (rows[r].place !== undefined && columns[c].place !== undefined) {
    history.replaceState(null, "", `#${new URLSearchParams({ client: rows[r].label, server: columns[c].label })}`);
  }
}

/** Choose the pair that the address of the page names, as a link to it does. */
function chooseNamed() {
  const named = new URLSearchParams(location.hash.slice(1));
  const [client, server] = ["client", "server"].map((side) => members.find((member) => member.name === named.get(side)));
  if (!client || !server) return;
  for (const group of groups) group.open ||= group.members.includes(client.place) || group.members.includes(server.place);
  rebuild();
  choose(rows.findIndex((row) => row.place === client.place), columns.findIndex((column) => column.place === server.place));
}

function reveal(r, c) {
  const cell = size("--cell"), left = size("--left"), top = size("--top");
  const x = c * cell, y = r * cell;
  if (x < scroll.scrollLeft) scroll.scrollLeft = x;
  if (y < scroll.scrollTop) scroll.scrollTop = y;
  if (left + x + cell > scroll.scrollLeft + scroll.clientWidth) scroll.scrollLeft = left + x + cell - scroll.clientWidth;
  if (top + y + cell > scroll.scrollTop + scroll.clientHeight) scroll.scrollTop = top + y + cell - scroll.clientHeight;
}

function toggle(group) {
  group.open = !group.open;
  rebuild();
}

// --- Reasons ----------------------------------------------------------------------------------

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function explain(row, column) {
  const found = [element("h2", `${row.label} → ${column.label}`)];
  if (row.place === undefined || column.place === undefined) found.push(...ofGroups(row, column));
  else found.push(...ofPair(row.place, column.place));
  $("reasons").replaceChildren(...found);
}

function ofGroups(row, column) {
  const [none, undecided, some, all] = countsOf(row, column), pairs = none + undecided + some + all;
  const told = [[all, "with all traffic", "allowed"], [some, "with some traffic", "allowed"],
    [undecided, "undecided", "undecided"], [none, "denied", "denied"]];
  const list = element("ul");
  for (const [count, words, verdict] of told) {
    if (count) list.append(element("li", `${count.toLocaleString("en")} of ${pairs.toLocaleString("en")} pairs ${words}`, verdict === "denied" ? "against" : "match"));
  }
  const found = [list];
  for (const group of new Set([row, column].filter((item) => item.place === undefined).map((item) => item.group))) {
    const button = element("button", `${group.open ? "Fold" : "Unfold"} ${group.name}`);
    button.addEventListener("click", () => { toggle(group); explain(row, column); });
    found.push(button);
  }
  return found;
}

function ofPair(client, server) {
  if (isUnasked(client, server)) {
    const same = client === server;
    return [element("p", same ? "A pod always reaches itself." : "No pod is at either end, so no policy of this cluster is asked.")];
  }
  const found = [];
  const answers = answersOf(client, server);
  for (const area of answers) {
    const where = area.near ? ", where both are on one node" : "";
    const family = data.dual ? `, IPv${area.families.join(" and IPv")}` : "";
    const line = element("p");
    line.append(element("span", area.verdict, `verdict ${area.verdict}`), ` ${data.traffic[area.traffic]}${family}${where}`);
    found.push(line);
  }
  if (!answers.length) found.push(element("p", "denied", "verdict denied"));
  found.push(...side("Egress, judged at the client", "egress", client, server));
  found.push(...side("Ingress, judged at the server", "ingress", server, client));
  return found;
}

/** What the policies of a subject say that bears on a peer. */
function side(heading, direction, subject, peer) {
  const found = [element("h3", heading)], who = members[subject], kind = members[peer].kind;
  if (!who.namespace) return [...found, element("p", "Outside the cluster; no policy is asked.")];
  const judges = (data.panels[direction][who.kind] || []).map((number) => data.judges[number]);
  if (!judges.length) return [...found, element("p", `No policy judges ${who.name}: everything is allowed.`)];
  const list = element("ul"), silent = [];
  for (const judge of judges) {
    const rules = judge.rules.filter((rule) => holds(rule.kinds, kind) || holds(rule.perhaps, kind));
    for (const rule of rules) {
      const perhaps = holds(rule.kinds, kind) ? "" : " perhaps";
      const verb = { Accept: "accepts", Deny: "denies", Pass: "passes on" }[rule.action];
      list.append(told(`${judge.name} ${rule.name}${perhaps} ${verb} ${data.traffic[rule.traffic]}`, rule.place,
        { Deny: "against", Accept: "match" }[rule.action]));
    }
    if (!rules.length) silent.push(judge);
  }
  for (const judge of silent) {
    const words = judge.tier === "NetworkPolicy" ? "isolates, and" : `(${judge.tier}):`;
    list.append(told(`${judge.name} ${words} no rule names ${members[peer].name}`, judge.place, "silent"));
  }
  const isolated = judges.some((judge) => judge.tier === "NetworkPolicy");
  if (isolated) found.push(element("p", "Isolated: what no rule accepts is denied."));
  return [...found, list];
}

function told(text, place, className) {
  const item = element("li", text, className);
  item.append(element("code", place));
  return item;
}

// --- Hands ------------------------------------------------------------------------------------

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
  PageUp: [-20, 0], PageDown: [20, 0], Home: [0, -Infinity], End: [0, Infinity] };

grid.addEventListener("keydown", (event) => {
  const at = chosen
    ? [rows.findIndex((row) => same(row, chosen.row)), columns.findIndex((column) => same(column, chosen.column))]
    : [0, 0];
  if (event.key in STEPS) {
    const [down, right] = STEPS[event.key];
    const within = (number, length) => Math.min(Math.max(number, 0), length - 1);
    if (rows.length && columns.length) choose(within(at[0] + down, rows.length), within(at[1] + right, columns.length));
  } else if ((event.key === "Enter" || event.key === " ") && chosen) {
    for (const item of new Set([chosen.row, chosen.column].filter((i) => i.place === undefined).map((i) => i.group))) toggle(item);
    parts.cells.querySelector(".chosen")?.focus({ preventScroll: true });
  } else {
    return;
  }
  event.preventDefault();
});

grid.addEventListener("click", ({ target }) => {
  const { row, column, group } = target.dataset;
  if (group !== undefined) toggle(groups[group]);
  else if (row !== undefined) choose(+row, +column);
});

let due = false;
scroll.addEventListener("scroll", () => {
  if (!due) requestAnimationFrame(() => { due = false; draw(); });
  due = true;
});
window.addEventListener("resize", rebuild);
for (const id of ["clients", "servers"]) $(id).addEventListener("input", () => { scroll.scrollTo(0, 0); rebuild(); });
$("tools").addEventListener("submit", (event) => event.preventDefault());
for (const [id, open] of [["unfold", true], ["fold", false]]) {
  $(id).addEventListener("click", () => { for (const group of groups) group.open = open; rebuild(); });
}
for (const remark of data.remarks) $("remarks").append(element("p", remark));
$("reasons").append(element("h2", "Reasons"), element("p", "Choose a cell to see which policies and rules decide, and where they are written. Click a namespace to unfold it. Arrow keys move, Enter folds."));
rebuild();
chooseNamed();
window.addEventListener("hashchange", chooseNamed);
