// The sheet to draw on. It keeps strokes, not pixels: it may change its size, and any step can be undone.
import { bounds, paint } from "./pen.js";

const WIDTH = 0.034; // of the sheet's shorter side: a felt pen, about MNIST's strokes on digits half as tall as the sheet
const THINNEST = 7; // pixels: on a phone's narrow sheet
const MARGIN = 24; // pixels: paper around the ink of a picture
const LONGEST = 640; // pixels: the longer side of a picture; digits of a row of ten still have 64
const PALM = 1000; // milliseconds after a pen was seen in which touches are a resting hand

// Fires "inking" as a stroke grows, and "change" when it ends or strokes go.
export class Pad extends EventTarget {
  #canvas;
  #context;
  #strokes = [];
  #history = []; // what #strokes were before each change
  #current = null; // the stroke that grows
  #pointer = null;
  #penSeen = -Infinity;
  #size = { width: 1, height: 1 }; // of the sheet in its own pixels
  #scale = 1; // screen pixels for one of the sheet's

  constructor(canvas) {
    super();
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => this.#up(event));
    new ResizeObserver(() => this.#fit()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#redraw());
  }

  get isEmpty() {
    return this.#strokes.length === 0 && !this.#current;
  }

  get canUndo() {
    return this.#history.length > 0;
  }

  get size() {
    return this.#size;
  }

  // The middle of the newest stroke.
  get newest() {
    const stroke = this.#current ?? this.#strokes.at(-1);
    if (!stroke) return null;
    const box = bounds([stroke]);
    return { x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2 };
  }

  undo() {
    if (!this.canUndo) return;
    this.#strokes = this.#history.pop();
    this.#changed();
  }

  clear() {
    if (!this.isEmpty) this.#become([]);
  }

  // Begin a stroke at a point of the sheet; its width is that of the pen times `pressure`.
  begin(x, y, pressure = 1) {
    this.#current = [];
    this.extend(x, y, pressure);
  }

  // Lengthen the stroke that was begun.
  extend(x, y, pressure = 1) {
    const { width, height } = this.#size;
    this.#current.push({ x, y, width: Math.max(THINNEST, WIDTH * Math.min(width, height)) * pressure });
    paint(this.#context, this.#current, this.#current.length - 1);
    this.dispatchEvent(new Event("inking"));
  }

  // End the stroke.
  lift() {
    const stroke = this.#current;
    this.#current = null;
    if (stroke) this.#become([...this.#strokes, stroke]);
  }

  // The drawing as a picture, black on white: `file` at once, `small` when asked for, and `place`: a box of it ->
  // fractions of the sheet.
  picture() {
    const strokes = this.#current ? [...this.#strokes, this.#current] : this.#strokes;
    const box = bounds(strokes);
    const [left, top] = [box.left - MARGIN, box.top - MARGIN];
    const [width, height] = [box.right - left + MARGIN, box.bottom - top + MARGIN];
    const scale = Math.min(1, LONGEST / Math.max(width, height));
    const canvas = new OffscreenCanvas(Math.ceil(width * scale), Math.ceil(height * scale));
    const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.fillStyle = context.strokeStyle = "#000";
    context.setTransform(scale, 0, 0, scale, -left * scale, -top * scale);
    for (const stroke of strokes) paint(context, stroke);
    const place = ([x1, y1, x2, y2]) => ({
      left: (x1 / scale + left) / this.#size.width,
      top: (y1 / scale + top) / this.#size.height,
      right: (x2 / scale + left) / this.#size.width,
      bottom: (y2 / scale + top) / this.#size.height,
    });
    return { file: greymap(context), small: () => canvas.convertToBlob({ type: "image/png" }), place };
  }

  #down(event) {
    if (event.pointerType === "pen") this.#penSeen = event.timeStamp;
    const palm = event.pointerType === "touch" && event.timeStamp - this.#penSeen < PALM;
    if (this.#pointer !== null || event.button !== 0 || palm) return;
    event.preventDefault(); // no selection, and the focus stays
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    this.begin(...this.#point(event));
  }

  #move(event) {
    if (event.pointerId !== this.#pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) this.extend(...this.#point(each));
  }

  #up(event) {
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = null;
    this.lift();
  }

  #point(event) {
    const frame = this.#canvas.getBoundingClientRect();
    const pressure = event.pointerType === "pen" && event.pressure ? 0.5 + event.pressure : 1;
    return [(event.clientX - frame.left) / this.#scale, (event.clientY - frame.top) / this.#scale, pressure];
  }

  #become(strokes) {
    this.#history.push(this.#strokes);
    this.#strokes = strokes;
    this.#changed();
  }

  #changed() {
    if (this.isEmpty) this.#fit();
    else this.#redraw();
    this.dispatchEvent(new Event("change"));
  }

  // An empty sheet takes the size of its place; one with strokes is scaled so that all of it stays visible.
  #fit() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    if (!width || !height) return;
    this.#scale = this.isEmpty ? 1 : Math.min(width / this.#size.width, height / this.#size.height);
    this.#size = { width: width / this.#scale, height: height / this.#scale };
    this.#canvas.width = Math.round(width * devicePixelRatio);
    this.#canvas.height = Math.round(height * devicePixelRatio);
    this.#redraw();
    this.dispatchEvent(new Event("resize"));
  }

  #redraw() {
    const context = this.#context;
    const { width, height } = this.#canvas;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    const scale = this.#scale * devicePixelRatio;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.fillStyle = context.strokeStyle = getComputedStyle(this.#canvas).color;
    for (const stroke of this.#strokes) paint(context, stroke);
    if (this.#current) paint(context, this.#current);
  }
}

// A grey drawing as a PGM file: written in a millisecond, where a browser takes its time over a PNG.
function greymap(context) {
  const { width, height } = context.canvas;
  const colours = context.getImageData(0, 0, width, height).data;
  const greys = Uint8Array.from({ length: width * height }, (_, at) => colours[4 * at]);
  return new Blob([`P5 ${width} ${height} 255\n`, greys], { type: "image/x-portable-graymap" });
}
