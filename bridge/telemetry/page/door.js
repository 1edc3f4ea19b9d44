// Whether the page is connected, and the token that it asks for where the server does.
const LINKS = { live: "Live", lost: "No answer, trying again", connecting: "Connecting", locked: "Token needed" };

function showLink(state) {
  const link = byId("link");
  const before = link.dataset.link;
  if (before === state) return;
  if (state === "lost") announce("The connection is lost; the page tries again");
  if (state === "live" && before === "lost") announce("The connection is back");
  link.dataset.link = state;
  put("link-text", LINKS[state]);
}

// Kept once a person has given it. What was there before is not the right one.
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
