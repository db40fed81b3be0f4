// Picks entries by address, action and outcome. Without it the page is whole, and nothing here makes markup of a text.
(() => {
  "use strict";
  const find = document.getElementById("find");
  const quiet = document.getElementById("quiet");

  // On paper everything is unfolded that is to be reviewed.
  const folded = [];
  addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll(".requests details:not([open]), .rows details:not([open])")) {
      one.open = true;
      folded.push(one);
    }
  });
  addEventListener("afterprint", () => {
    for (const one of folded.splice(0)) one.open = false;
  });

  if (!find) return;
  const shown = document.getElementById("shown");
  const clear = document.getElementById("clear");
  const none = document.getElementById("none");
  const entries = [...document.querySelectorAll("article")];
  const requests = [...document.querySelectorAll(".requests > li")];
  const groups = [...document.querySelectorAll("#filter .choices")].map((group) => [...group.querySelectorAll("button")]);
  const plain = (text) => text.normalize("NFKC").toLowerCase();
  const names = new Map();
  const name = (one) => {
    if (!names.has(one)) names.set(one, plain(one.querySelector(".name").textContent));
    return names.get(one);
  };
  // Whether the unchanged were unfolded before something was picked.
  let before = null;

  // What is folded away is there, and not shown.
  const tell = () => {
    const folded = quiet && !quiet.open;
    const count = entries.filter((one) => !one.hidden && !(folded && quiet.contains(one))).length;
    shown.textContent = shown.dataset.say.replace("#", String(count));
  };

  const pick = () => {
    const words = plain(find.value).split(/\s+/).filter(Boolean);
    const wanted = groups
      .map((buttons) => buttons.filter((button) => button.getAttribute("aria-pressed") === "true"))
      .filter((pressed) => pressed.length);
    const named = (one) => words.every((word) => name(one).includes(word));
    const fits = (one) =>
      wanted.every((pressed) =>
        pressed.some((button) => Object.entries(button.dataset).every(([key, value]) => one.dataset[key] === value)),
      ) && named(one);
    const picking = words.length > 0 || wanted.length > 0;
    for (const one of entries) one.hidden = !fits(one);
    for (const one of requests) one.hidden = !named(one);
    if (quiet) {
      if (picking) {
        if (before === null) before = quiet.open;
        const some = quiet.querySelector("article:not([hidden])") !== null;
        quiet.hidden = !some;
        quiet.open = some;
      } else {
        quiet.hidden = false;
        if (before !== null) quiet.open = before;
        before = null;
      }
    }
    none.hidden = entries.some((one) => !one.hidden);
    clear.disabled = !picking;
    tell();
  };
  if (quiet) quiet.addEventListener("toggle", tell);

  const all = () => {
    find.value = "";
    for (const button of groups.flat()) button.setAttribute("aria-pressed", "false");
    pick();
  };

  for (const button of groups.flat()) {
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      pick();
    });
  }
  find.addEventListener("input", pick);
  clear.addEventListener("click", () => {
    all();
    find.focus();
  });

  // A link to an entry that is not shown shows it.
  const follow = () => {
    const target = /^#e\d+$/.test(location.hash) && document.getElementById(location.hash.slice(1));
    if (!target) return;
    if (target.hidden) all();
    if (quiet && quiet.contains(target)) quiet.open = true;
    target.scrollIntoView({ block: "start" });
  };
  addEventListener("hashchange", follow);

  addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLInputElement;
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      find.focus();
    } else if (event.key === "Escape" && event.target === find) {
      find.value = "";
      pick();
    }
  });

  document.getElementById("filter").hidden = false;
  document.documentElement.classList.add("picks");
  pick();
  follow();
})();
