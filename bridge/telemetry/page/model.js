// What the server has told, put together: each mirror as /status has it, its lanes by partition, and its last hour.
const HOUR_MS = 3600_000;

// The first ones need a person, the last ones nothing any more. States of later servers count as ordinary.
const SEVERITY = ["failed", "held", "retrying", "paused", "running", "waiting", "complete", "finished"];
const TONES = {
  failed: "bad", held: "bad", retrying: "warn", paused: "warn", draining: "warn", starting: "warn",
  running: "good", complete: "good",
};

function severity(state) {
  const found = SEVERITY.indexOf(state);
  return found < 0 ? SEVERITY.indexOf("running") : found;
}

function tone(state) {
  return TONES[state] ?? "idle";
}

class Model {
  constructor() {
    this.mirrors = new Map();
    this.comparisons = [];
    this.time = 0;
  }

  take(kind, message) {
    this.time = message.time_ms;
    if (message.comparisons) this.comparisons = message.comparisons;
    if (kind === "snapshot") {
      this.mirrors = new Map(message.mirrors.map((mirror) => [mirror.name, opened(mirror)]));
    } else {
      for (const each of message.mirrors) change(this.mirrors.get(each.name), each);
    }
    for (const mirror of this.mirrors.values()) {
      const oldest = this.time - HOUR_MS;
      while (mirror.history.length && mirror.history[0][0] < oldest) mirror.history.shift();
    }
  }
}

function opened({ lanes, history, ...fields }) {
  return { ...fields, history, lanes: new Map(lanes.map((lane) => [lane.partition, lane])) };
}

function change(mirror, { changes, history }) {
  const { lanes = [], gone = [], ...fields } = changes;
  Object.assign(mirror, fields);
  for (const lane of lanes) mirror.lanes.set(lane.partition, { ...mirror.lanes.get(lane.partition), ...lane });
  for (const partition of gone) mirror.lanes.delete(partition);
  mirror.history.push(...history);
}
