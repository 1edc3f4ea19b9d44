// The parts of a mirror, each with a place of its own on the page.
const PROBLEMS = 5;

function showTop(mirror) {
  put("version", mirror.version);
  put("name", mirror.name);
  put("state", mirror.state);
  byId("state").dataset.tone = tone(mirror.state);
  put("age", `up for ${duration(Math.max(0, Math.round((model.time - Date.parse(mirror.started)) / 1000)))}`);
  put("source", mirror.source || "not told");
  put("sink", mirror.sink || "not told");
}

function figures(mirror) {
  const states = Map.groupBy(mirror.lanes.values(), (lane) => lane.state);
  const running = states.get("running")?.length ?? 0;
  const latest = mirror.history.at(-1);
  const retries = sum(mirror.retries.map((each) => each.total));
  const letters = sum(Object.values(mirror.dead_letters));
  const idle = (number, name) => (number ? name : "");
  return [
    ["Records/s", rate(mirror.records_per_second)],
    ["Bytes/s", latest ? bytes(latest[2]) : "–"],
    ["Lag", duration(mirror.lag_seconds)],
    ["Oldest checkpoint", duration(mirror.checkpoint_age_seconds)],
    ["Lanes running", count(running), `of ${count(mirror.lanes.size)}`, idle(troubled(mirror).length, "bad")],
    ["Records written", brief(mirror.records_total)],
    ["Bytes written", bytes(mirror.bytes_total)],
    ["In memory", bytes(mirror.buffered_bytes)],
    ["Gaps", count(mirror.gaps_total), "", idle(mirror.gaps_total, "bad")],
    ["Dead letters", count(letters), "", idle(letters, "warn")],
    ["Skipped", count(sum(Object.values(mirror.skipped)))],
    ["Retries", count(retries), "", ""],
    ["Throttled", count(sum(Object.values(mirror.throttled))), "", ""],
  ];
}

function showFigures(mirror) {
  const list = byId("figures");
  figures(mirror).forEach(([title, value, more = "", mark = ""], index) => {
    const box = list.children[index] ?? list.appendChild(figureBox(title));
    const [, place] = box.children;
    if (place.firstChild.textContent !== value) place.firstChild.textContent = value;
    if (place.lastChild.textContent !== more) place.lastChild.textContent = more;
    box.dataset.tone = mark;
  });
}

function figureBox(title) {
  const box = element("div");
  const value = element("dd");
  value.append(element("span"), " ", element("small"));
  box.append(element("dt", title), value);
  return box;
}

function needed(lanes) {
  return lanes === 1 ? "One lane needs you" : `${count(lanes)} lanes need you`;
}

function showProblems(mirror) {
  const found = troubled(mirror);
  byId("problems").hidden = found.length === 0 && !mirror.error;
  if (byId("problems").hidden) return;
  put("problems-heading", mirror.error ? `This mirror is ${mirror.state}` : needed(found.length));
  const lines = found.slice(0, PROBLEMS).map((lane) => [lane.partition, `${lane.state}: ${lane.error ?? "no cause told"}`]);
  if (mirror.error) lines.unshift([mirror.name, mirror.error]);
  const list = byId("problem-list");
  if (!isNews(list, [found.length, lines])) return;
  list.replaceChildren(...lines.map(([partition, text]) => {
    const line = element("li");
    line.append(element("b", partition), ` ${text}`);
    return line;
  }));
  if (found.length > PROBLEMS) list.append(element("li", `and ${count(found.length - PROBLEMS)} more, at the top of the lanes`));
}

function showJob({ job }) {
  byId("job").hidden = !job;
  if (!job) return;
  put("job-share", share(job.share));
  fillBar(byId("job-bar"), job.share);
  put("job-left", `${rate(job.records_per_second)} records/s${job.remaining_s ? `, ${duration(job.remaining_s)} left` : ""}`);
  put("job-states", Object.entries(job.states).filter(([, number]) => number).map(([state, number]) => `${count(number)} ${state}`).join(", ") + `; ${count(job.records)} records copied`);
  byId("job-parts").hidden = job.partitions.length === 0;
  const list = byId("job-parts").querySelector("ul");
  if (!byId("job-parts").open || !isNews(list, job.partitions)) return;
  list.replaceChildren(...job.partitions.map((part) => {
    const line = element("li");
    const bar = element("progress");
    bar.max = 1;
    bar.setAttribute("aria-label", part.name);
    fillBar(bar, part.share);
    const left = part.state !== "copying" ? part.state : part.remaining_s === null ? "" : `${duration(part.remaining_s)} left`;
    line.append(element("b", part.name), element("span", share(part.share)), bar, element("span", left, "quiet"));
    return line;
  }));
}

function fillBar(bar, part) {
  if (part === null) bar.removeAttribute("value");
  else bar.value = part;
}

function showCutover({ cutover }) {
  byId("cutover").hidden = !cutover;
  if (!cutover) return;
  const done = cutover.steps.filter((step) => step.state === "done").length;
  put("cutover-state", cutover.is_finished ? "finished" : `${done} of ${cutover.steps.length} steps done`);
  put("cutover-told", cutover.is_finished ? "" : cutover.told);
  const list = byId("cutover-steps");
  if (!isNews(list, cutover.steps)) return;
  list.replaceChildren(...cutover.steps.map((step) => {
    const line = element("li", step.title);
    line.dataset.state = step.state;
    line.title = step.name;
    if (step.state === "next") line.setAttribute("aria-current", "step");
    line.append(element("span", `: ${step.state}`, "spoken"));
    return line;
  }));
}

function tallies(mirror) {
  const reasons = (title, counts) => Object.entries(counts).map(([reason, number]) => [title, "records", reason, number]);
  return [
    ...mirror.retries.map(({ operation, reason, total }) => ["Retry", operation, reason, total]),
    ...Object.entries(mirror.throttled).map(([operation, number]) => ["Throttled", operation, "rate", number]),
    ...reasons("Dead letter", mirror.dead_letters),
    ...reasons("Skipped", mirror.skipped),
  ];
}

function showTallies(mirror) {
  const rows = tallies(mirror);
  const body = byId("tallies");
  byId("no-tallies").hidden = rows.length > 0;
  body.parentElement.hidden = rows.length === 0;
  if (!isNews(body, rows)) return;
  body.replaceChildren(...rows.map(([what, of, reason, number]) => {
    const line = element("tr");
    line.append(element("td", what), element("td", of), element("td", reason), element("td", count(number), "number"));
    return line;
  }));
}

function showComparisons() {
  const place = byId("comparisons");
  if (!isNews(place, model.comparisons)) return;
  place.replaceChildren(...model.comparisons.map((each) => {
    const card = element("section", "", "card");
    const differences = Object.entries(each.differences).filter(([, number]) => number);
    const verdict = element("p", differences.length ? differences.map(([kind, number]) => `${count(number)} ${kind}`).join(", ") : "Both sides hold the same");
    verdict.className = differences.length ? "trouble" : "";
    const until = each.proven ? `compared up to ${each.proven}` : "nothing compared yet";
    card.append(element("h2", `Verification of ${each.name}`), verdict, element("p", `${count(each.records_total)} records, ${until}`, "quiet"));
    return card;
  }));
}
