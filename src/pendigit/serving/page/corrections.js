// The stored corrections: listed, filtered, deleted, exported.
import { Server } from "./server.js";
import { download } from "./save.js";
import { askToken, complain, notice, watch } from "./talk.js";

const PART = 60; // corrections that are fetched at once

const element = (id) => document.getElementById(id);
const server = new Server(askToken);
const addresses = []; // of crops that are shown
let digit = null; // that is shown, null for all
let last = 0; // the number of the last that is shown

async function start() {
  try {
    if (await server.keeps()) await show(null);
    else element("none").textContent = "This server keeps no corrections.";
    element("none").hidden = element("cards").children.length > 0;
  } catch (error) {
    complain(error);
  }
}

async function show(which) {
  digit = which;
  last = 0;
  element("cards").replaceChildren();
  addresses.splice(0).forEach((address) => URL.revokeObjectURL(address));
  await Promise.all([more(), count()]);
}

async function more() {
  const { corrections } = await server.corrections(digit, last, PART + 1);
  element("more").hidden = corrections.length <= PART;
  for (const correction of corrections.slice(0, PART)) element("cards").append(cardOf(correction));
  last = corrections[PART - 1]?.id ?? last;
}

// The filter's buttons, with how many corrections each shows.
async function count() {
  const counts = await Promise.all([null, ...Array(10).keys()].map(async (which) => {
    return (await server.corrections(which, 0, 1)).count;
  }));
  const buttons = counts.map((number, at) => filterOf(at === 0 ? null : at - 1, number));
  const focused = element("filter").contains(document.activeElement);
  element("filter").replaceChildren(...buttons);
  if (focused) element("filter").querySelector("[aria-pressed='true']").focus();
  element("filter").hidden = counts[0] === 0;
  element("none").hidden = counts[0] > 0;
  element("export").disabled = counts[0] === 0;
  element("said").textContent = `${counts[digit === null ? 0 : digit + 1]} corrections`;
}

function filterOf(which, number) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", disabled: number === 0 && which !== digit });
  button.setAttribute("aria-pressed", which === digit);
  button.append(which === null ? "All" : which, Object.assign(document.createElement("small"), { textContent: number }));
  button.addEventListener("click", () => show(which).catch(complain));
  return button;
}

function cardOf({ id, digit: right, read, made }) {
  const card = document.createElement("li");
  const [picture, words, time, remove] = ["img", "p", "time", "button"].map((name) => document.createElement(name));
  picture.alt = `A handwritten ${right}`;
  server.crop(id).then((crop) => {
    addresses.push((picture.src = URL.createObjectURL(crop)));
  }, complain);
  const before = read === null || read === right ? [] : [Object.assign(document.createElement("s"), { textContent: read })];
  words.append(...before, Object.assign(document.createElement("b"), { textContent: right }));
  Object.assign(time, { dateTime: made, textContent: new Date(made).toLocaleDateString() });
  Object.assign(remove, { type: "button", textContent: "Delete" });
  remove.setAttribute("aria-label", `Delete the correction to ${right}`);
  remove.addEventListener("click", () => forget(id, card).catch(complain));
  card.append(picture, words, time, remove);
  return card;
}

async function forget(id, card) {
  await server.forget(id);
  const next = (card.nextElementSibling ?? card.previousElementSibling)?.querySelector("button");
  card.remove();
  await count();
  (next ?? element("filter").querySelector("button:enabled") ?? document.querySelector("nav a")).focus();
}

element("more").addEventListener("click", () => more().catch(complain));
element("export").addEventListener("click", async () => {
  try {
    download(await server.archive(), "corrections.zip", "application/zip");
    notice("Unpacked, it is what pendigit train --data reads.");
  } catch (error) {
    complain(error);
  }
});
watch(server, start);
start();
