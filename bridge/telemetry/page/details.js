// One lane with all that is known of it, unabridged.
let openLane = null;

function openDetails(partition) {
  openLane = partition;
  fillDetails(chosen());
  byId("details").showModal();
}

function fillDetails(mirror) {
  if (openLane === null) return;
  const lane = mirror.lanes.get(openLane);
  put("details-heading", openLane);
  const rows = lane
    ? [
      ["State", lane.state], ["Error", lane.error ?? "none"], ["Position", lane.position ?? "none yet"],
      ["Lag", duration(lane.lag_seconds)], ["Records behind", count(lane.lag_records)],
      ["Records written", count(lane.records_total)], ["Records/s", rate(lane.records_per_second)],
      ["Checkpoint age", duration(lane.checkpoint_age_seconds)],
    ]
    : [["State", "gone: finished, or with another process"]];
  const list = byId("details-list");
  if (!isNews(list, rows)) return;
  list.replaceChildren(...rows.flatMap(([title, text]) => [element("dt", title), element("dd", text)]));
}

byId("details-close").addEventListener("click", () => byId("details").close());
byId("details").addEventListener("close", () => {
  const row = lanes.rows.get(openLane);
  openLane = null;
  (row?.button ?? byId("scroller")).focus({ preventScroll: true });
});
