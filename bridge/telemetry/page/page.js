// The page as a whole: what the server tells goes into the model, and is drawn once a frame at the most.
const model = new Model();

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

function show() {
  const mirror = chosen();
  byId("door").hidden = true;
  byId("mirror").hidden = !mirror;
  byId("empty").hidden = Boolean(mirror) || model.comparisons.length > 0;
  showMirrors(mirror);
  showComparisons();
  if (!mirror) return;
  showTop(mirror);
  showProblems(mirror);
  showFigures(mirror);
  showJob(mirror);
  showCutover(mirror);
  for (const chart of charts) chart.show(mirror.history, model.time);
  showStates(mirror);
  lanes.show(mirror.lanes);
  showTallies(mirror);
  fillDetails(mirror);
  tell(mirror);
}

let told = "";

// Said aloud is what changes seldom: the state, and how many lanes need someone.
function tell(mirror) {
  const title = `${mirror.name}: ${mirror.state} · kmbridge`;
  if (document.title !== title) document.title = title;
  const number = troubled(mirror).length;
  const words = `${mirror.name} is ${mirror.state}${number ? `, ${needed(number).toLowerCase()}` : ""}`;
  if (words === told) return;
  told = words;
  announce(words);
}

let drawing;

function showLater() {
  drawing ??= requestAnimationFrame(() => {
    drawing = undefined;
    show();
  });
}

function showStates(mirror) {
  const select = byId("only");
  const states = [...new Set([...mirror.lanes.values()].map((lane) => lane.state))].sort((a, b) => severity(a) - severity(b));
  if (!isNews(select, states)) return;
  const before = select.value;
  select.replaceChildren(new Option("All states", ""), ...states.map((state) => new Option(state, state)));
  select.value = states.includes(before) ? before : "";
  if (select.value !== before) filterLanes();
}

function filterLanes() {
  lanes.filter(byId("filter").value, byId("only").value);
}

byId("filter").addEventListener("input", filterLanes);
byId("only").addEventListener("change", filterLanes);
addEventListener("hashchange", () => {
  if (!model.mirrors.has(named())) return;
  lanes.filter(byId("filter").value, byId("only").value);
  showLater();
});
addEventListener("keydown", (event) => {
  const isTyping = event.target.matches("input, select, textarea");
  if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  byId("filter").focus();
});

byId("machine").hidden = sessionStorage.getItem(TOKEN) !== null;
new Stream({
  onEvent(kind, message) {
    model.take(kind, message);
    showLater();
  },
  onState: showLink,
  onRefused: askForToken,
}).run();
