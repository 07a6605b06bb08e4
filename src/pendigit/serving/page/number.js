// The number that was read: a button for each digit, with its ten probabilities as small bars.
import { valueOf } from "./reading.js";

const MANY = 12; // digits: more are shown small, without bars, as those of photos are

// Let `element` show a reading's digits, and choose one by click or arrows.
export function showNumber(element, reading) {
  element.addEventListener("click", ({ target }) => {
    const at = [...element.querySelectorAll("button")].indexOf(target.closest("button"));
    if (at >= 0) reading.choose(reading.digits[at]);
  });
  element.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    reading.step(by);
  });
  reading.addEventListener("change", () => {
    const focused = element.contains(document.activeElement);
    element.classList.toggle("many", !reading.drawn || reading.digits.length > MANY);
    element.replaceChildren(...reading.rows.map((row) => rowOf(row, reading)));
    const chosen = element.querySelector("[tabindex='0']");
    if (focused) chosen?.focus();
    chosen?.scrollIntoView({ block: "nearest" });
  });
}

// A digit in words.
export function describe(digit) {
  if (digit.correction) return `${digit.correction.digit}, corrected from ${digit.digit}`;
  const [[second, share]] = digit.runners_up;
  const percent = Math.round(100 * digit.probability);
  return digit.doubtful
    ? `${digit.digit}, doubtful: ${percent} percent, or ${second} with ${Math.round(100 * share)}`
    : `${digit.digit}, ${percent} percent`;
}

function rowOf(row, reading) {
  const element = document.createElement("div");
  const starts = row.groups.slice(0, -1).map(((sum) => (group) => (sum += group.length))(0));
  element.append(...row.digits.map((digit, at) => buttonOf(digit, reading, starts.includes(at))));
  return element;
}

function buttonOf(digit, { chosen }, startsGroup) {
  const button = document.createElement("button");
  button.type = "button";
  button.tabIndex = digit === chosen ? 0 : -1;
  button.setAttribute("aria-pressed", digit === chosen);
  button.setAttribute("aria-label", describe(digit));
  button.classList.toggle("doubtful", digit.doubtful && !digit.correction);
  button.classList.toggle("corrected", Boolean(digit.correction));
  button.classList.toggle("apart", startsGroup);
  button.append(Object.assign(document.createElement("b"), { textContent: valueOf(digit) }), bars(digit));
  return button;
}

function bars({ probabilities }) {
  const element = document.createElement("span");
  element.className = "ten";
  element.append(...probabilities.map((share) => {
    const bar = document.createElement("i");
    bar.style.setProperty("--share", share);
    return bar;
  }));
  return element;
}
