// The page as a whole: what the model holds is put where it belongs, and only where it is another text than before.
const byId = (id) => document.getElementById(id);
const model = new Model();
const PROBLEMS = 5;

function put(id, text) {
  const place = byId(id);
  if (place.textContent !== text) place.textContent = text;
}

function announce(text) {
  put("announcements", text);
}

const charts = [
  new Chart(byId("throughput-chart"), {
    kind: "throughput", title: "Throughput", column: 1, least: 10, axis: brief,
    format: (value) => `${rate(value)} records/s`, extra: (sample) => `${bytes(sample[2])}/s`,
  }),
  new Chart(byId("lag-chart"), { kind: "lag", title: "Lag", column: 3, least: 1, axis: duration, format: duration }),
];

const lanes = new Lanes({
  scroller: byId("scroller"), table: byId("table"), none: byId("none"), tally: byId("lanes-count"), onOpen: openDetails,
});

// --- one mirror of several -------------------------------------------------------------------------------------

function chosen() {
  const asked = decodeURIComponent(location.hash.slice(1));
  return model.mirrors.get(asked) ?? model.mirrors.values().next().value;
}

function showMirrors(current) {
  const list = byId("mirrors").querySelector("ul");
  byId("mirrors").hidden = model.mirrors.size < 2;
  const names = [...model.mirrors.keys()];
  if (names.join() !== list.dataset.names) {
    list.dataset.names = names.join();
    list.replaceChildren(...names.map(mirrorLink));
  }
  for (const link of list.querySelectorAll("a")) {
    const mirror = model.mirrors.get(link.dataset.name);
    if (mirror === current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    link.dataset.tone = worst(mirror);
    const text = `: ${mirror.state}`;
    if (link.lastChild.textContent !== text) link.lastChild.textContent = text;
  }
}

function mirrorLink(name) {
  const line = element("li");
  const link = element("a");
  link.href = `#${encodeURIComponent(name)}`;
  link.dataset.name = name;
  const dot = element("span", "", "dot");
  dot.setAttribute("aria-hidden", "true");
  link.append(dot, name, element("span", "", "spoken"));
  line.append(link);
  return line;
}

function worst(mirror) {
  return troubled(mirror).length ? "bad" : tone(mirror.state);
}

function troubled(mirror) {
  return [...mirror.lanes.values()].filter((lane) => tone(lane.state) === "bad");
}

// --- the parts of it ---------------------------------------------------------------------------------------------

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

function showProblems(mirror) {
  const found = troubled(mirror);
  byId("problems").hidden = found.length === 0;
  if (!found.length) return;
  put("problems-heading", found.length === 1 ? "One lane needs you" : `${count(found.length)} lanes need you`);
  const lines = found.slice(0, PROBLEMS).map((lane) => [lane.partition, `${lane.state}: ${lane.error ?? "no cause told"}`]);
  const list = byId("problem-list");
  if (list.dataset.told === JSON.stringify([found.length, lines])) return;
  list.dataset.told = JSON.stringify([found.length, lines]);
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
  const told = JSON.stringify(job.partitions);
  if (!byId("job-parts").open || list.dataset.told === told) return;
  list.dataset.told = told;
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
  if (body.dataset.told === JSON.stringify(rows)) return;
  body.dataset.told = JSON.stringify(rows);
  body.replaceChildren(...rows.map(([what, of, reason, number]) => {
    const line = element("tr");
    line.append(element("td", what), element("td", of), element("td", reason), element("td", count(number), "number"));
    return line;
  }));
}

function showComparisons() {
  const place = byId("comparisons");
  const told = JSON.stringify(model.comparisons);
  if (place.dataset.told === told) return;
  place.dataset.told = told;
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

function showStates(mirror) {
  const select = byId("only");
  const states = [...new Set([...mirror.lanes.values()].map((lane) => lane.state))].sort((a, b) => severity(a) - severity(b));
  if (select.dataset.states === states.join()) return;
  select.dataset.states = states.join();
  const before = select.value;
  select.replaceChildren(new Option("All states", ""), ...states.map((state) => new Option(state, state)));
  select.value = states.includes(before) ? before : "";
  if (select.value !== before) filterLanes();
}

// --- all of it -----------------------------------------------------------------------------------------------------

let spoken = "";

function show() {
  const mirror = chosen();
  byId("door").hidden = true;
  byId("mirror").hidden = !mirror;
  byId("empty").hidden = Boolean(mirror) || model.comparisons.length > 0;
  showComparisons();
  if (!mirror) return;
  showMirrors(mirror);
  put("version", mirror.version);
  put("name", mirror.name);
  put("state", mirror.state);
  byId("state").dataset.tone = tone(mirror.state);
  put("age", `for ${duration(Math.max(0, Math.round((model.time - Date.parse(mirror.started)) / 1000)))}`);
  put("source", mirror.source || "not told");
  put("sink", mirror.sink || "not told");
  showProblems(mirror);
  showFigures(mirror);
  showJob(mirror);
  for (const chart of charts) chart.show(mirror.history, model.time);
  showStates(mirror);
  lanes.show(mirror.lanes);
  showTallies(mirror);
  fillDetails(mirror);
  const title = `${mirror.name}: ${mirror.state} · kmbridge`;
  if (document.title !== title) document.title = title;
  const number = troubled(mirror).length;
  const words = `${mirror.name} is ${mirror.state}${number ? `, ${number} lanes need you` : ""}`;
  if (words !== spoken) announce((spoken = words));
}

// Events that come while the page is hidden change the model alone; one drawing shows them all.
let drawing;

function showLater() {
  drawing ??= requestAnimationFrame(() => {
    drawing = undefined;
    show();
  });
}

// --- one lane ------------------------------------------------------------------------------------------------------

let opened_lane = null;

function openDetails(partition) {
  opened_lane = partition;
  fillDetails(chosen());
  byId("details").showModal();
}

function fillDetails(mirror) {
  if (opened_lane === null) return;
  const lane = mirror.lanes.get(opened_lane);
  put("details-heading", opened_lane);
  const rows = lane
    ? [
      ["State", lane.state], ["Error", lane.error ?? "none"], ["Position", lane.position ?? "none yet"],
      ["Lag", duration(lane.lag_seconds)], ["Records behind", count(lane.lag_records)],
      ["Records written", count(lane.records_total)], ["Records/s", rate(lane.records_per_second)],
      ["Checkpoint age", duration(lane.checkpoint_age_seconds)],
    ]
    : [["State", "gone: finished, or with another process"]];
  const list = byId("details-list");
  if (list.dataset.told === JSON.stringify(rows)) return;
  list.dataset.told = JSON.stringify(rows);
  list.replaceChildren(...rows.flatMap(([title, text]) => [element("dt", title), element("dd", text)]));
}

byId("details-close").addEventListener("click", () => byId("details").close());
byId("details").addEventListener("close", () => {
  const row = lanes.rows.get(opened_lane);
  opened_lane = null;
  (row?.button ?? byId("scroller")).focus({ preventScroll: true });
});

// --- what people do ------------------------------------------------------------------------------------------------

function filterLanes() {
  lanes.filter(byId("filter").value, byId("only").value);
}

byId("filter").addEventListener("input", filterLanes);
byId("only").addEventListener("change", filterLanes);
addEventListener("hashchange", () => {
  if (model.mirrors.has(decodeURIComponent(location.hash.slice(1)))) showLater();
});
addEventListener("keydown", (event) => {
  const isTyping = event.target.matches("input, select, textarea");
  if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    byId("filter").focus();
  }
});

// --- where it comes from -------------------------------------------------------------------------------------------

const LINKS = { live: "Live", lost: "No answer, trying again", connecting: "Connecting", locked: "Token needed" };

function showLink(state) {
  const link = byId("link");
  if (link.dataset.link === state) return;
  if (state === "lost") announce("The connection is lost; the page tries again");
  if (state === "live" && link.dataset.link === "lost") announce("The connection is back");
  link.dataset.link = state;
  put("link-text", LINKS[state]);
}

function askForToken() {
  const wasGiven = sessionStorage.getItem(TOKEN) !== null;
  sessionStorage.removeItem(TOKEN);
  showLink("locked");
  byId("machine").hidden = true;
  byId("mirror").hidden = true;
  byId("door").hidden = false;
  put("door-trouble", wasGiven ? "This is not the token" : "");
  byId("token").focus();
  return new Promise((given) => {
    byId("door").addEventListener("submit", (event) => {
      event.preventDefault();
      sessionStorage.setItem(TOKEN, byId("token").value);
      byId("token").value = "";
      given();
    }, { once: true });
  });
}

byId("machine").hidden = sessionStorage.getItem(TOKEN) !== null;
new Stream({
  onEvent(kind, message) {
    model.take(kind, message);
    showLater();
  },
  onState: showLink,
  onRefused: askForToken,
}).run();
