// The review of a table: one doubtful digit at a time, one key each. What a key says is on the disk when the next shows.

const AHEAD = 3; // crops fetched before they are asked for
const TOKEN = "pendigit-token"; // where the tab keeps the token; `#token=…` in the address brings it

const find = (name) => document.querySelector(name);
const doubts = new Map(); // number -> doubt
const crops = new Map(); // number -> promise of a picture's address
let total = 0;
let decided = 0;
let now = 0;
let busy = false;

if (location.hash.startsWith("#token=")) {
  sessionStorage.setItem(TOKEN, decodeURIComponent(location.hash.slice(7)));
  history.replaceState(null, "", location.pathname);
}

async function ask(path, method = "GET") {
  const token = sessionStorage.getItem(TOKEN);
  const answer = await fetch(path, { method, headers: token ? { Authorization: `Bearer ${token}` } : {} });
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).detail || `The server answered ${answer.status}`);
  return answer;
}

async function doubt(number) {
  if (!doubts.has(number)) {
    const answer = await (await ask(`v1/review?start=${number}`)).json();
    total = answer.count;
    decided = answer.decided;
    find(".table").textContent = `${answer.table} → ${answer.corrected}`;
    for (const each of answer.doubts) doubts.set(each.number, each);
  }
  return doubts.get(number);
}

function crop(number) {
  if (!crops.has(number)) {
    const fetched = ask(`v1/review/${number}/crop`).then((answer) => answer.blob()).then((blob) => URL.createObjectURL(blob));
    fetched.catch(() => crops.delete(number));
    crops.set(number, fetched);
  }
  return crops.get(number);
}

async function show(number) {
  now = Math.max(0, Math.min(number, total - 1));
  const each = await doubt(now);
  describe(each);
  const image = find(".crop");
  image.classList.add("waiting");
  const shown = now;
  try {
    const address = await crop(now);
    if (shown !== now) return;
    image.src = address;
    image.classList.remove("waiting");
    tell("");
  } catch (error) {
    if (shown === now) tell(error.message);
  }
  for (let ahead = 1; ahead <= AHEAD && now + ahead < total; ahead += 1) crop(now + ahead).catch(() => {});
  for (const old of [...crops.keys()].filter((key) => Math.abs(key - now) > 20)) forget(old);
}

function forget(number) {
  crops.get(number)?.then(URL.revokeObjectURL).catch(() => {});
  crops.delete(number);
}

function describe(each) {
  const verdict = each.decided ? (each.verdict ?? "no digit") : each.digit;
  const mark = document.createElement("b");
  mark.textContent = verdict;
  mark.classList.toggle("decided", each.decided);
  const percent = `${(each.probability * 100).toFixed(each.probability < 0.1 ? 1 : 0)} %`;
  find(".question").replaceChildren(each.decided ? "Decided: " : "Read as ", mark, each.decided ? "" : `, ${percent} sure`);
  find(".row").replaceChildren(...rowWith(each, mark.cloneNode(true)));
  find(".path").textContent = each.page > 1 ? `${each.path}, page ${each.page}` : each.path;
  find(".crop").alt = `A digit in the row ${each.row}`;
  find(".count").textContent = `${decided.toLocaleString()} of ${total.toLocaleString()}`;
  find("progress").value = total ? decided / total : 1;
  for (const button of document.querySelectorAll(".choices button")) {
    button.classList.toggle("read", !each.decided && Number(button.dataset.key) === each.digit);
    button.classList.toggle("chosen", each.decided && Number(button.dataset.key) === each.verdict && each.verdict !== null);
  }
}

function rowWith(each, mark) {
  const places = [...each.row].map((sign, at) => (/[0-9?]/.test(sign) ? at : -1)).filter((at) => at >= 0);
  const at = places[each.place];
  if (at === undefined) return [each.row];
  mark.textContent = each.decided ? (each.verdict ?? "×") : each.row[at];
  return [each.row.slice(0, at), mark, each.row.slice(at + 1)];
}

function tell(text) {
  find(".message").textContent = text;
  find(".message").hidden = !text;
}

async function decide(value) {
  const was = doubts.get(now);
  const said = await (await ask(`v1/review/${now}?digit=${value}`, "POST")).json();
  if (!was.decided) decided += 1;
  doubts.set(now, said);
  if (decided === total) {
    describe(said);
    await publish();
  } else await show(await nextOpen());
}

async function nextOpen() {
  for (let step = 1; step < total; step += 1) {
    const number = (now + step) % total;
    if (!(await doubt(number)).decided) return number;
  }
  return now;
}

async function publish() {
  const answer = await (await ask("v1/review/publish", "POST")).json();
  tell(`Written to ${answer.corrected}, with ${answer.decided.toLocaleString()} digits looked at`);
}

async function press(key) {
  const each = doubts.get(now);
  if (busy || !each) return;
  busy = true; // one key at a time: a fast typist's next one is about the next digit
  try {
    if (/^[0-9]$/.test(key)) await decide(key);
    else if (key === "Enter") await decide(each.digit);
    else if (key === "x") await decide("none");
    else if (key === "ArrowRight") await show(now + 1);
    else if (key === "ArrowLeft") await show(now - 1);
    else if (key === "s") await publish();
  } catch (error) {
    tell(error.message);
  } finally {
    busy = false;
  }
}

for (const value of "0123456789") {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.key = value;
  button.textContent = value;
  find(".choices").append(button);
}
document.addEventListener("click", (event) => {
  const key = event.target.closest("[data-key]")?.dataset.key;
  if (key) press(key);
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (!/^([0-9xs]|Enter|ArrowRight|ArrowLeft)$/.test(key)) return;
  event.preventDefault();
  press(key);
});

doubt(0)
  .then(async (first) => show(first?.decided ? await nextOpen() : 0))
  .catch((error) => tell(error.message));
