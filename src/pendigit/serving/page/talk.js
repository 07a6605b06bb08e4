// What the page says to its user, and what it asks.
import { Away, Refusal } from "./server.js";

const SAID = 4000; // milliseconds that a notice stays

const line = document.querySelector(".notice");
let end = null;

export function notice(text, stays = false) {
  line.textContent = text;
  line.hidden = false;
  clearTimeout(end);
  if (!stays) end = setTimeout(quiet, SAID);
}

export function quiet() {
  line.hidden = true;
}

// Say why something failed. That the server is away has a notice of its own.
export function complain(error) {
  if (error instanceof Refusal) notice(error.message);
  else if (!(error instanceof Away)) throw error;
}

// Say when the server goes and comes; `again` is called when it is back.
export function watch(server, again) {
  server.addEventListener("away", () => notice("The server is away. Nothing is lost here.", true));
  server.addEventListener("back", () => {
    quiet();
    again();
  });
}

// Ask for the server's token until one is given.
export async function askToken() {
  const door = document.getElementById("door");
  if (!door.open) door.showModal();
  await new Promise((resolve) => door.addEventListener("close", resolve, { once: true }));
  return door.querySelector("input").value;
}
