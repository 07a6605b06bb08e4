// The page: a sheet or a photo on one side, what was read on the other.
import { showBoxes } from "./boxes.js";
import { showDigit } from "./digit.js";
import { Inside } from "./inside.js";
import { drawByKeys } from "./keyboard.js";
import { describe, showNumber } from "./number.js";
import { Pad } from "./pad.js";
import { fitting, takePhotos } from "./photo.js";
import { Reading, valueOf } from "./reading.js";
import { asCsv, asJson, asText, download } from "./save.js";
import { Server } from "./server.js";
import { askToken, complain, notice, quiet, watch } from "./talk.js";

const WHILE_INKING = 120; // milliseconds between readings while the pen is down

const element = (id) => document.getElementById(id);
const find = (selector) => document.querySelector(selector);
const server = new Server(askToken);
const reading = new Reading();
const pad = new Pad(find(".pad"));
const inside = new Inside(find(".inside"), () => server.layers());
let photo = null; // {file, place} of the photo that is shown, null while drawing

// Reading.

let turns = 0; // of reading
let shown = 0; // the newest turn whose answer is shown: an older one that comes late is not
let underWay = 0;
let settled = Promise.resolve(); // once no answer is awaited any more

async function read() {
  const turn = ++turns;
  underWay++;
  const work = photo ? readPhoto() : readDrawing(turn);
  settled = Promise.allSettled([settled, work]);
  try {
    await work;
    if (!server.isAway) quiet();
  } catch (error) {
    complain(error);
  } finally {
    underWay--;
  }
}

async function readDrawing(turn) {
  if (pad.isEmpty) {
    reading.clear();
    return;
  }
  const [picture, { x, y }] = [pad.picture(), pad.newest];
  const answer = await server.read(picture.file, true);
  if (photo || pad.isEmpty || turn < shown) return; // something else is shown by now
  shown = turn;
  reading.show(answer, picture, true, { x: x / pad.size.width, y: y / pad.size.height });
}

async function readPhoto() {
  const shown = photo;
  find(".busy").hidden = false;
  try {
    const answer = await server.read(await fitting(shown.file), false);
    const place = ([left, top, right, bottom]) => ({
      left: left / answer.width, top: top / answer.height, right: right / answer.width, bottom: bottom / answer.height,
    });
    if (photo === shown) reading.show(answer, { ...shown, place }, false);
  } finally {
    find(".busy").hidden = true;
  }
}

async function showPhoto(file) {
  photo = { file };
  reading.clear();
  const image = find(".photo img");
  URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(file);
  const known = await image.decode().then(() => true, () => false);
  if (!known) {
    backToDrawing();
    notice("This browser cannot show that file. Save it as JPEG or PNG.");
    return;
  }
  find(".photo").style.setProperty("--ratio", image.naturalWidth / image.naturalHeight);
  arrange();
  read();
}

function backToDrawing() {
  photo = null;
  reading.clear();
  arrange();
  read();
}

let lastRead = 0;
pad.addEventListener("inking", () => {
  if (underWay || performance.now() - lastRead < WHILE_INKING) return;
  lastRead = performance.now();
  read();
});
pad.addEventListener("change", () => {
  arrange();
  read();
});

pad.addEventListener("resize", () => {
  if (reading.drawn) reading.moved();
});

// Correcting.

async function correct(digit, value) {
  if (!digit || value === valueOf(digit)) return;
  const [picture, place, old] = [reading.picture, reading.placeOf(digit), digit.correction];
  try {
    if (old?.id) await server.forget(old.id);
    const kept = value === digit.digit ? null : { digit: value, ...(await keep(picture, digit, value)) };
    reading.correct(place, kept);
  } catch (error) {
    complain(error);
  }
}

async function keep(picture, digit, value) {
  if (!(await server.keeps())) return {};
  const file = picture.small ? picture.small() : fitting(picture.file);
  const { id } = await server.correct(await file, digit.box, digit.digit, value);
  return { id };
}

// Showing.

function arrange() {
  document.body.classList.toggle("with-photo", Boolean(photo));
  document.body.classList.toggle("blank", !photo && pad.isEmpty);
  find(".photo").hidden = !photo;
  find(photo ? ".photo" : ".stage").append(find(".boxes"));
  for (const id of ["undo", "clear"]) element(id).hidden = Boolean(photo);
  element("draw").hidden = !photo;
  element("undo").disabled = !pad.canUndo;
  element("clear").disabled = pad.isEmpty;
}

let say = null;
reading.addEventListener("change", () => {
  const some = reading.digits.length > 0;
  find(".result .tools").hidden = !some;
  find(".none").hidden = some || !reading.picture;
  find(".none").textContent = reading.others.length || reading.drawn ? "No digit" : "No digits found";
  if (document.body.dataset.view === "inside") showInside();
  clearTimeout(say);
  say = setTimeout(() => (element("said").textContent = spoken()), 500); // once the pen rests
});

function spoken() {
  if (!reading.picture) return "";
  const doubtful = reading.digits.filter((digit) => digit.doubtful && !digit.correction).map(describe);
  return [reading.text || "No digit", ...doubtful].join("; ");
}

function showInside() {
  inside.show(reading.chosen?.frame ?? null).catch(complain);
}

function showView() {
  const view = location.hash === "#inside" ? "inside" : "read";
  document.body.dataset.view = view;
  find(".inside").hidden = view !== "inside";
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${view}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (view === "inside") showInside();
}

// Wiring.

showNumber(element("number"), reading);
showBoxes(find(".boxes"), reading);
showDigit(find(".digit"), reading, correct);
drawByKeys(pad, find(".pad"), find(".nib"));
takePhotos(showPhoto);
element("undo").addEventListener("click", () => pad.undo());
element("clear").addEventListener("click", () => pad.clear());
element("draw").addEventListener("click", backToDrawing);
element("copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText(asText(reading));
  notice("Copied");
});
element("csv").addEventListener("click", () => download(asCsv(reading), "numbers.csv", "text/csv"));
element("json").addEventListener("click", () => download(asJson(reading), "numbers.json", "application/json"));
watch(server, read);
addEventListener("hashchange", showView);
addEventListener("keydown", (event) => {
  if (event.target.matches("input") || find("dialog[open]")) return;
  const command = event.ctrlKey || event.metaKey;
  if (command && event.key === "z" && !photo) pad.undo();
  else if (!command && !event.altKey && /^[0-9]$/.test(event.key)) {
    settled.then(() => correct(reading.chosen, Number(event.key))); // what is seen may be half of the digit, read early
  }
});
arrange();
showView();
