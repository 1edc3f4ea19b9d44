// Numbers as people read them. Everything that is shown passes through here, so that one figure looks alike everywhere.
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const clockSeconds = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

function count(number) {
  return number === null || number === undefined ? "–" : whole.format(number);
}

function brief(number) {
  return number < 10000 ? tenths.format(number) : short.format(number);
}

function rate(number) {
  return number >= 100 ? whole.format(number) : tenths.format(number);
}

function bytes(number) {
  let unit = 0;
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let left = number;
  while (left >= 1024 && unit < units.length - 1) {
    left /= 1024;
    unit += 1;
  }
  return `${unit === 0 || left >= 100 ? whole.format(left) : tenths.format(left)} ${units[unit]}`;
}

function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds === 0) return "0 s";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 120) return `${tenths.format(seconds)} s`;
  if (seconds < 7200) return `${whole.format(seconds / 60)} min`;
  if (seconds < 172800) return `${tenths.format(seconds / 3600)} h`;
  return `${tenths.format(seconds / 86400)} d`;
}

function share(part) {
  // Rounded down: a hundred percent is said of what is done alone.
  return part === null ? "–" : `${whole.format(Math.floor(part * 100))} %`;
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
