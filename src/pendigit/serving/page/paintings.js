// Frames and weights as pictures.
import { PIXELS, SIDE } from "./network.js";

const FOR = [59, 120, 245]; // blue: weights above 0
const AGAINST = [235, 94, 20]; // orange: weights below 0; both are seen on light and on dark
const FADE = 1.4; // weak weights, most of which no training moved, step back

// A PNG in base64 -> its pixels (784) of 0 to 255.
export async function pixelsOf(png) {
  const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const context = new OffscreenCanvas(SIDE, SIDE).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, SIDE, SIDE).data.filter((_, at) => at % 4 === 0);
}

// Paint ink (784) of 0 to 255 in the canvas's own colour, on nothing.
export function paintInk(canvas, pixels) {
  const [red, green, blue] = getComputedStyle(canvas).color.match(/[\d.]+/g).map(Number);
  put(canvas, pixels, (value) => [red, green, blue, value]);
}

// Paint weights (784) in two colours, the largest as strong as can be, on nothing.
export function paintWeights(canvas, weights) {
  const most = weights.reduce((max, value) => Math.max(max, Math.abs(value)), 1e-6);
  put(canvas, weights, (value) => [...(value > 0 ? FOR : AGAINST), 255 * (Math.abs(value) / most) ** FADE]);
}

function put(canvas, values, colour) {
  const image = new ImageData(SIDE, SIDE);
  for (let at = 0; at < PIXELS; at++) image.data.set(colour(values[at]), 4 * at);
  canvas.getContext("2d").putImageData(image, 0, 0);
}
