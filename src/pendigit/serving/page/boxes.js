// Where digits were found, drawn over the sheet or the photo.
import { valueOf } from "./reading.js";

const ROOM = 0.08; // of the view's height: a box nearer to its top has its label below

// Let `element` show a reading's boxes; a click on one of a photo chooses it.
export function showBoxes(element, reading) {
  element.addEventListener("click", ({ target }) => {
    const at = [...element.children].indexOf(target.closest(".box"));
    if (reading.digits[at]) reading.choose(reading.digits[at]);
  });
  reading.addEventListener("change", () => {
    const others = reading.others.map((other) => labelled(at(reading.placeOf(other), "other"), "no digit"));
    element.replaceChildren(...reading.digits.map((digit) => box(digit, reading)), ...others);
  });
}

function box(digit, reading) {
  const element = at(reading.placeOf(digit), "box");
  element.classList.toggle("chosen", digit === reading.chosen);
  element.classList.toggle("doubtful", digit.doubtful && !digit.correction);
  element.classList.toggle("corrected", Boolean(digit.correction));
  return labelled(element, valueOf(digit));
}

function labelled(element, text) {
  element.append(Object.assign(document.createElement("b"), { textContent: text }));
  return element;
}

function at({ left, top, right, bottom }, name) {
  const element = document.createElement("i");
  element.className = top < ROOM ? `${name} low` : name;
  const shares = { left, top, width: right - left, height: bottom - top };
  for (const [side, share] of Object.entries(shares)) element.style[side] = `${100 * share}%`;
  element.style.setProperty("--height", bottom - top);
  return element;
}
