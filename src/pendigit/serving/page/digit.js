// The chosen digit: its frame, its ten probabilities, and its correction with one key.
import { valueOf } from "./reading.js";

const EMPTY = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="; // a pixel of nothing
const LEAST = 0.0005; // a smaller share is shown as nothing

// Let `element` show a reading's chosen digit; `correct(digit, value)` is called for a bar or a key.
export function showDigit(element, reading, correct) {
  const bars = [...Array(10).keys()].map(barOf);
  element.querySelector(".bars").append(...bars.map((button) => {
    const item = document.createElement("li");
    item.append(button);
    return item;
  }));
  bars.forEach((button, value) => button.addEventListener("click", () => correct(reading.chosen, value)));
  const show = () => showIn(element, bars, reading.chosen);
  reading.addEventListener("change", show);
  show();
}

function showIn(element, bars, digit) {
  const [value, percent] = element.querySelectorAll(".verdict > *");
  element.classList.toggle("empty", !digit);
  element.classList.toggle("doubtful", Boolean(digit?.doubtful && !digit.correction));
  element.querySelector(".frame").src = digit ? `data:image/png;base64,${digit.frame}` : EMPTY;
  element.querySelector(".frame").alt = digit ? `What the network sees of the ${digit.digit}` : "";
  value.textContent = digit ? valueOf(digit) : "";
  percent.textContent = digit ? verdict(digit) : "";
  element.querySelector(".hint").textContent = digit ? hint(digit) : "";
  bars.forEach((button, at) => fill(button, at, digit));
}

function verdict(digit) {
  if (digit.correction) return `corrected from ${digit.digit}`;
  return digit.doubtful ? `${percentOf(digit.probability)} · doubtful` : percentOf(digit.probability);
}

function hint(digit) {
  return digit.correction ? `Press ${digit.digit} to take it back.` : "Wrong? Press the right digit.";
}

function barOf(value) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...["b", "i", "span"].map((name) => document.createElement(name)));
  button.firstChild.textContent = value;
  return button;
}

function fill(button, value, digit) {
  const share = digit?.probabilities[value] ?? 0;
  button.disabled = !digit;
  button.classList.toggle("best", Boolean(digit) && value === valueOf(digit));
  button.children[1].style.setProperty("--share", share);
  button.children[2].textContent = share >= LEAST ? percentOf(share) : "";
  button.setAttribute("aria-label", `${value}: ${percentOf(share)}${digit && value !== digit.digit ? ", correct to this" : ""}`);
}

export function percentOf(share) {
  return `${(100 * share).toFixed(share > 0.995 && share < 0.9995 ? 1 : share >= 0.1 || share < LEAST ? 0 : 1)} %`;
}
