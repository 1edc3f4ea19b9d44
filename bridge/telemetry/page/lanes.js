// The lanes as a table of which only the rows in sight exist: a thousand lanes cost what thirty do.
const ROW_PX = 36;
const SPARE_ROWS = 8;

const COLUMNS = [
  { key: "partition", title: "Partition", width: "17%", first: "ascending" },
  { key: "state", title: "State", width: "9%", style: "kind", first: "ascending", rank: (lane) => severity(lane.state) },
  { key: "position", title: "Position", width: "17%", style: "end", first: "ascending", text: (lane) => lane.position ?? "–" },
  { key: "lag_seconds", title: "Lag", width: "8%", number: true, text: (lane) => duration(lane.lag_seconds) },
  { key: "lag_records", title: "Behind", width: "8%", number: true, text: (lane) => count(lane.lag_records) },
  { key: "records_per_second", title: "Records/s", width: "9%", number: true, text: (lane) => rate(lane.records_per_second) },
  { key: "records_total", title: "Written", width: "9%", number: true, text: (lane) => count(lane.records_total) },
  { key: "checkpoint_age_seconds", title: "Checkpoint", width: "10%", number: true, text: (lane) => duration(lane.checkpoint_age_seconds) },
  { key: "error", title: "Error", width: "13%", style: "error", first: "descending", text: (lane) => lane.error ?? "" },
];

const natural = new Intl.Collator("en", { numeric: true });

function compared(first, second) {
  if (first === second) return 0;
  if (first === null || first === undefined) return -1;
  if (second === null || second === undefined) return 1;
  return typeof first === "number" ? first - second : natural.compare(first, second);
}

class Lanes {
  constructor({ scroller, table, none, tally, onOpen }) {
    Object.assign(this, { scroller, table, none, tally, onOpen });
    this.head = table.querySelector("thead tr");
    this.body = table.querySelector("tbody");
    this.rows = new Map();
    this.lanes = new Map();
    this.shown = [];
    this.words = "";
    this.state = "";
    this.sort = { column: COLUMNS[1], direction: "ascending" };
    this.above = this.spacer();
    this.below = this.spacer();
    this.body.append(this.above, this.below);
    for (const column of COLUMNS) this.head.append(this.heading(column));
    this.markSort();
    scroller.addEventListener("scroll", () => this.later(), { passive: true });
    new ResizeObserver(() => this.later()).observe(scroller);
  }

  show(lanes) {
    this.lanes = lanes;
    this.choose();
  }

  filter(words, state) {
    this.words = words.trim().toLowerCase();
    this.state = state;
    this.scroller.scrollTop = 0;
    this.choose();
  }

  choose() {
    const found = [];
    for (const lane of this.lanes.values()) if (this.matches(lane)) found.push(lane);
    const { column, direction } = this.sort;
    const value = column.rank ?? ((lane) => lane[column.key]);
    const turn = direction === "ascending" ? 1 : -1;
    found.sort((a, b) => turn * compared(value(a), value(b)) || natural.compare(a.partition, b.partition));
    this.shown = found;
    this.tell();
    this.later();
  }

  matches(lane) {
    if (this.state && lane.state !== this.state) return false;
    if (!this.words) return true;
    const text = `${lane.partition} ${lane.state} ${lane.error ?? ""}`.toLowerCase();
    return this.words.split(/\s+/).every((word) => text.includes(word));
  }

  tell() {
    const all = this.lanes.size;
    const text = this.shown.length === all ? count(all) : `${count(this.shown.length)} of ${count(all)}`;
    if (this.tally.textContent !== text) this.tally.textContent = text;
    this.none.hidden = this.shown.length > 0;
    this.table.setAttribute("aria-rowcount", this.shown.length + 1);
  }

  later() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.render();
    });
  }

  render() {
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / ROW_PX) - SPARE_ROWS);
    const last = Math.min(this.shown.length, first + Math.ceil(this.scroller.clientHeight / ROW_PX) + 2 * SPARE_ROWS);
    const inSight = this.shown.slice(first, last);
    const wanted = new Set(inSight.map((lane) => lane.partition));
    const focused = this.body.contains(document.activeElement) ? document.activeElement.closest("tr").dataset.partition : null;
    for (const [partition, row] of this.rows) {
      if (wanted.has(partition)) continue;
      row.line.remove();
      this.rows.delete(partition);
    }
    let place = this.above;
    inSight.forEach((lane, index) => {
      const row = this.row(lane);
      row.line.setAttribute("aria-rowindex", first + index + 2);
      if (place.nextSibling !== row.line) place.after(row.line);
      place = row.line;
    });
    this.above.firstChild.style.height = `${first * ROW_PX}px`;
    this.below.firstChild.style.height = `${(this.shown.length - last) * ROW_PX}px`;
    // A row that was moved has lost the focus on its way.
    if (focused !== null && !this.body.contains(document.activeElement)) {
      const target = this.rows.get(focused)?.button ?? this.scroller;
      target.focus({ preventScroll: true });
    }
  }

  row(lane) {
    let row = this.rows.get(lane.partition);
    if (!row) {
      row = this.made(lane);
      this.rows.set(lane.partition, row);
    }
    if (row.lane !== lane) this.fill(row, lane);
    return row;
  }

  made(lane) {
    const line = element("tr", "", "lane");
    line.dataset.partition = lane.partition;
    const name = element("th");
    name.scope = "row";
    const button = element("button", lane.partition);
    button.type = "button";
    button.title = lane.partition;
    button.addEventListener("click", () => this.onOpen(lane.partition));
    name.append(button);
    line.append(name);
    const cells = COLUMNS.slice(1).map((column) => {
      const cell = element("td", "", column.number ? "number" : column.style);
      line.append(cell);
      return cell;
    });
    const state = element("span", "", "state");
    cells[0].append(state);
    return { line, button, cells, state, lane: null };
  }

  fill(row, lane) {
    row.lane = lane;
    if (row.state.textContent !== lane.state) {
      row.state.textContent = lane.state;
      row.state.dataset.tone = tone(lane.state);
    }
    COLUMNS.slice(2).forEach((column, index) => {
      const cell = row.cells[index + 1];
      // A position is told apart by its end: that is the part which is not cut off. The mark keeps it left to right.
      const text = column.key === "position" ? `\u200e${column.text(lane)}\u200e` : column.text(lane);
      if (cell.textContent === text) return;
      cell.textContent = text;
      if (column.key === "error") cell.title = lane.error ?? "";
    });
  }

  spacer() {
    const line = element("tr", "", "gap");
    line.setAttribute("aria-hidden", "true");
    const cell = element("td");
    cell.colSpan = COLUMNS.length;
    line.append(cell);
    return line;
  }

  heading(column) {
    const cell = element("th", "", column.number ? "number" : "");
    cell.scope = "col";
    cell.style.width = column.width;
    const button = element("button", column.title);
    button.type = "button";
    button.addEventListener("click", () => this.sortBy(column));
    cell.append(button);
    return cell;
  }

  sortBy(column) {
    const turned = { ascending: "descending", descending: "ascending" };
    const direction = this.sort.column === column ? turned[this.sort.direction] : (column.first ?? "descending");
    this.sort = { column, direction };
    this.markSort();
    this.choose();
  }

  markSort() {
    COLUMNS.forEach((column, index) => {
      this.head.children[index].setAttribute("aria-sort", column === this.sort.column ? this.sort.direction : "none");
    });
  }
}
