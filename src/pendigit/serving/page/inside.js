// Look inside: what the network sees, its hidden units lighting up, and the ten sums that they feed.
import { DIGITS, Network, PIXELS, SIDE } from "./network.js";
import { paintInk, paintWeights, pixelsOf } from "./paintings.js";
import { drawWires } from "./wires.js";

const COLUMNS = 16; // of units
const FULL = 12; // a sum whose bar is full; larger ones stretch the scale
const BRIGHT = 3; // what a unit passes on to be fully lit; more does not happen often

export class Inside {
  #element;
  #network = null;
  #loading = null;
  #order = [];
  #state = null; // what the network made of the frame
  #unit = null; // looked at; null is the one that counts most
  #digit = null; // looked at; null is the winner

  constructor(element, loadWeights) {
    this.#element = element;
    this.load = () => (this.#loading ??= loadWeights().then((weights) => this.#open(new Network(weights))));
    element.addEventListener("pointerover", ({ target }) => this.#look(target));
    element.addEventListener("pointerout", () => this.#look(null));
    element.addEventListener("focusin", ({ target }) => this.#look(target));
    element.addEventListener("keydown", (event) => this.#walk(event));
    addEventListener("resize", () => this.#wire());
  }

  // Show what the network makes of a frame, a PNG in base64; null shows it at rest.
  async show(frame) {
    try {
      await this.load();
    } catch (error) {
      this.#loading = null;
      throw error;
    }
    const pixels = frame ? await pixelsOf(frame) : new Uint8ClampedArray(PIXELS);
    this.#state = { ...this.#network.run(pixels), empty: !frame };
    this.#render();
  }

  #open(network) {
    this.#network = network;
    this.#order = network.order();
    this.#part(".units").replaceChildren(...this.#order.map((unit) => unitButton(unit, network.imageOf(unit))));
    this.#units[0].tabIndex = 0;
    this.#part(".sums").replaceChildren(...[...Array(DIGITS).keys()].map(sumItem));
  }

  get #units() {
    return this.#part(".units").children;
  }

  get #sums() {
    return this.#element.querySelectorAll(".sums button");
  }

  #part(selector) {
    return this.#element.querySelector(selector);
  }

  // Look at the unit or the digit under the pointer or the focus.
  #look(target) {
    const button = target?.closest?.("button") ?? null;
    this.#unit = button?.dataset.unit ? Number(button.dataset.unit) : null;
    this.#digit = button?.dataset.digit ? Number(button.dataset.digit) : null;
    if (this.#state) this.#render();
  }

  // Arrows walk through the units.
  #walk(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -COLUMNS, ArrowDown: COLUMNS }[event.key];
    const at = [...this.#units].indexOf(document.activeElement);
    if (!by || at < 0) return;
    event.preventDefault();
    this.#units[at + by]?.focus();
  }

  #render() {
    const { frame, passed, sums, probabilities, empty } = this.#state;
    const digit = this.#digit ?? sums.indexOf(Math.max(...sums));
    const gains = passed.map((value, unit) => value * this.#network.weightOf(unit, digit));
    const unit = this.#unit ?? gains.reduce((best, gain, at) => (gain > gains[best] ? at : best), 0);
    paintInk(this.#part(".sees canvas"), frame);
    this.#order.forEach((each, at) => light(this.#units[at], empty ? 0 : passed[each], each === unit && !empty));
    const scale = Math.max(FULL, ...sums.map(Math.abs));
    this.#sums.forEach((button, at) => fill(button, empty ? 0 : sums[at], scale, probabilities[at], empty));
    this.#sums.forEach((button, at) => button.classList.toggle("best", at === digit && !empty));
    this.#explain(unit, digit);
    this.#wired = { digit, gains: empty ? gains.fill(0) : gains };
    this.#wire();
  }

  #wired = null;

  #wire() {
    if (!this.#wired || !this.#part(".units").clientWidth) return;
    const { digit, gains } = this.#wired;
    const ends = this.#order.map((unit, at) => ({ element: this.#units[at], gain: gains[unit] }));
    drawWires(this.#part(".wires"), ends, this.#sums[digit]);
  }

  // One unit in full: the pixels times its weights, their sum, and what it tells the ten digits.
  #explain(unit, digit) {
    const { frame, units, passed, empty } = this.#state;
    const panel = this.#part(".unit");
    panel.classList.toggle("empty", empty && this.#unit === null);
    const weights = this.#network.imageOf(unit);
    const [pixels, image, product] = panel.querySelectorAll("canvas");
    paintInk(pixels, frame);
    paintWeights(image, weights);
    paintWeights(product, weights.map((weight, at) => (weight * frame[at]) / 255));
    panel.querySelector("h2").textContent = `Unit ${unit + 1}`;
    panel.querySelector(".sum").textContent = signed(units[unit]);
    const gain = passed[unit] * this.#network.weightOf(unit, digit);
    panel.querySelector(".passed").textContent = passed[unit] ? `gives the ${digit} ${signed(gain)}` : "below 0: silent";
  }
}

function unitButton(unit, weights) {
  const [button, canvas] = ["button", "canvas"].map((name) => document.createElement(name));
  Object.assign(button, { type: "button", tabIndex: -1 });
  button.dataset.unit = unit;
  canvas.width = canvas.height = SIDE;
  paintWeights(canvas, weights);
  button.append(canvas);
  return button;
}

function light(button, value, looked) {
  button.style.setProperty("--light", Math.min(1, value / BRIGHT));
  button.classList.toggle("looked", looked);
  button.setAttribute("aria-label", `Unit ${Number(button.dataset.unit) + 1}, ${value ? value.toFixed(1) : "silent"}`);
}

function sumItem(digit) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.digit = digit;
  button.append(...["b", "i", "span", "em"].map((name) => document.createElement(name)));
  button.firstChild.textContent = digit;
  const item = document.createElement("li");
  item.append(button);
  return item;
}

function fill(button, sum, scale, share, empty) {
  const [, bar, number, percent] = button.children;
  bar.style.setProperty("--sum", sum / scale);
  bar.classList.toggle("against", sum < 0);
  number.textContent = empty ? "" : signed(sum);
  percent.textContent = empty || share < 0.005 ? "" : `${Math.round(100 * share)} %`;
  button.setAttribute("aria-label", `${button.dataset.digit}: sum ${signed(sum)}, ${Math.round(100 * share)} percent`);
}

function signed(value) {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)}`;
}
