// Making and changing elements. A text is put only where it is another than before: what stays the same costs nothing.
const SVG = "http://www.w3.org/2000/svg";

function byId(id) {
  return document.getElementById(id);
}

function put(id, text) {
  const place = byId(id);
  if (place.textContent !== text) place.textContent = text;
}

function announce(text) {
  put("announcements", text);
}

// Whether `place` shows something else than `content`; from now on it counts as shown.
function isNews(place, content) {
  const told = JSON.stringify(content);
  if (place.dataset.told === told) return false;
  place.dataset.told = told;
  return true;
}

function shape(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent?.append(made);
  return made;
}

function element(name, text = "", className = "") {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}
