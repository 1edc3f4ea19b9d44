// The mirrors of the process, and which of them is shown: the one that the address names, else the first.
function named() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return ""; // An address that somebody typed.
  }
}

function chosen() {
  return model.mirrors.get(named()) ?? model.mirrors.values().next().value;
}

function showMirrors(current) {
  const list = byId("mirrors").querySelector("ul");
  byId("mirrors").hidden = model.mirrors.size < 2;
  const names = [...model.mirrors.keys()];
  if (isNews(list, names)) list.replaceChildren(...names.map(mirrorLink));
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
