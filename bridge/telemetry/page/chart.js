// A line of the last hour, drawn as SVG, with its numbers in words and in a table for those who do not see it.
const LEFT = 56;
const RIGHT = 8;
const TOP = 10;
const BOTTOM = 24;
const HEIGHT = 190;
const QUARTER_MS = 900_000;
const BREAK_MS = 20_000; // A longer silence is a gap in the line.
const TABLE_STEP_MS = 300_000;

// The lowest round number at or above `highest`.
function ceiling(highest, least) {
  if (highest <= least) return least;
  const power = 10 ** Math.floor(Math.log10(highest));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((step) => step * power).find((step) => step >= highest);
}

class Chart {
  constructor(figure, { kind, title, column, least, format, axis, extra }) {
    Object.assign(this, { figure, title, column, least, format, axis, extra });
    this.samples = [];
    this.end = 0;
    this.figure.dataset.kind = kind;
    const caption = element("figcaption", title);
    this.now = element("span", "", "now");
    caption.append(this.now);
    this.svg = shape("svg", { role: "img" });
    this.grid = shape("g", {}, this.svg);
    this.area = shape("path", { class: "area" }, this.svg);
    this.line = shape("path", { class: "line" }, this.svg);
    this.pointer = shape("g", { visibility: "hidden" }, this.svg);
    this.hair = shape("line", { class: "hair", y1: TOP, y2: HEIGHT - BOTTOM }, this.pointer);
    this.spot = shape("circle", { class: "spot", r: 4 }, this.pointer);
    this.table = element("table");
    this.details = element("details");
    this.details.append(element("summary", "As a table"), this.table);
    figure.append(caption, this.svg, this.details);
    this.svg.addEventListener("pointermove", (event) => this.point(event.clientX));
    this.svg.addEventListener("pointerleave", () => this.point(null));
    this.details.addEventListener("toggle", () => this.fillTable());
    new ResizeObserver(() => this.draw()).observe(this.svg);
  }

  show(samples, end) {
    const last = samples.at(-1)?.[0];
    const isSame = samples === this.samples && last === this.last && end - this.end < 5000;
    if (isSame) return;
    Object.assign(this, { samples, end, last });
    this.draw();
    if (this.details.open) this.fillTable();
  }

  draw() {
    this.width = this.svg.clientWidth || 600;
    const highest = this.samples.reduce((most, sample) => Math.max(most, sample[this.column]), 0);
    this.highest = ceiling(highest, this.least);
    this.drawGrid();
    const runs = this.runs();
    this.line.setAttribute("d", runs.map((run) => `M${run.map((point) => point.join(" ")).join("L")}`).join(""));
    this.area.setAttribute("d", runs.map((run) => this.closed(run)).join(""));
    this.describe(highest);
    if (this.pointed === undefined || this.pointed === null) this.point(null);
  }

  x(time) {
    return LEFT + (1 - (this.end - time) / HOUR_MS) * (this.width - LEFT - RIGHT);
  }

  y(value) {
    return HEIGHT - BOTTOM - (value / this.highest) * (HEIGHT - TOP - BOTTOM);
  }

  runs() {
    const runs = [];
    let before = null;
    for (const sample of this.samples) {
      if (before === null || sample[0] - before > BREAK_MS) runs.push([]);
      runs.at(-1).push([this.x(sample[0]).toFixed(1), this.y(sample[this.column]).toFixed(1)]);
      before = sample[0];
    }
    return runs;
  }

  closed(run) {
    const ground = HEIGHT - BOTTOM;
    return `M${run[0][0]} ${ground}L${run.map((point) => point.join(" ")).join("L")}L${run.at(-1)[0]} ${ground}Z`;
  }

  drawGrid() {
    this.grid.replaceChildren();
    for (const part of [0, 0.5, 1]) {
      const y = this.y(this.highest * part);
      shape("line", { class: "grid", x1: LEFT, x2: this.width - RIGHT, y1: y, y2: y }, this.grid);
      shape("text", { class: "axis", x: LEFT - 8, y: y + 4, "text-anchor": "end" }, this.grid).textContent = this.axis(this.highest * part);
    }
    if (!this.end) return;
    for (let time = Math.ceil((this.end - HOUR_MS) / QUARTER_MS) * QUARTER_MS; time <= this.end; time += QUARTER_MS) {
      const x = this.x(time);
      shape("line", { class: "grid", x1: x, x2: x, y1: TOP, y2: HEIGHT - BOTTOM }, this.grid);
      const anchor = x > this.width - 40 ? "end" : "middle";
      shape("text", { class: "axis", x, y: HEIGHT - 6, "text-anchor": anchor }, this.grid).textContent = clock.format(time);
    }
    if (!this.samples.length) {
      shape("text", { class: "wait", x: this.width / 2 + LEFT / 2, y: HEIGHT / 2 - 6, "text-anchor": "middle" }, this.grid).textContent = "The first point comes within ten seconds";
    }
  }

  describe(highest) {
    const values = this.samples.map((sample) => sample[this.column]);
    const latest = values.length ? this.format(values.at(-1)) : "nothing yet";
    const lowest = values.reduce((least, value) => Math.min(least, value), Infinity);
    const range = values.length ? `, between ${this.format(lowest)} and ${this.format(highest)}` : "";
    const text = `${this.title} over the last hour: now ${latest}${range}`;
    if (this.svg.getAttribute("aria-label") !== text) this.svg.setAttribute("aria-label", text);
  }

  point(clientX) {
    this.pointed = clientX;
    const last = this.samples.at(-1);
    if (clientX === null || !last) {
      this.pointer.setAttribute("visibility", "hidden");
      this.now.textContent = last ? this.told(last) : "";
      return;
    }
    const x = clientX - this.svg.getBoundingClientRect().left;
    const nearest = this.samples.reduce((best, sample) => (Math.abs(this.x(sample[0]) - x) < Math.abs(this.x(best[0]) - x) ? sample : best));
    this.pointer.setAttribute("visibility", "visible");
    for (const end of ["x1", "x2"]) this.hair.setAttribute(end, this.x(nearest[0]));
    this.spot.setAttribute("cx", this.x(nearest[0]));
    this.spot.setAttribute("cy", this.y(nearest[this.column]));
    this.now.textContent = `${clockSeconds.format(nearest[0])}  ${this.told(nearest)}`;
  }

  told(sample) {
    return [this.format(sample[this.column]), this.extra?.(sample)].filter(Boolean).join(" · ");
  }

  fillTable() {
    if (!this.details.open) return;
    const head = element("tr");
    for (const title of ["Time", "Mean", "Highest"]) {
      const cell = element("th", title, title === "Time" ? "" : "number");
      cell.scope = "col";
      head.append(cell);
    }
    const rows = [head];
    const steps = Map.groupBy(this.samples, (sample) => Math.floor(sample[0] / TABLE_STEP_MS));
    for (const [step, samples] of steps) {
      const values = samples.map((sample) => sample[this.column]);
      const row = element("tr");
      row.append(
        element("td", clock.format(step * TABLE_STEP_MS)),
        element("td", this.format(sum(values) / values.length), "number"),
        element("td", this.format(Math.max(...values)), "number"),
      );
      rows.push(row);
    }
    this.table.replaceChildren(...rows);
  }
}
