// Wires from the hidden units to one of the ten sums, as thick as what they carry.

const MOST = 14; // wires: the rest carries little and would hide the units
const THICKEST = 5; // pixels
const LEAST = 0.08; // of the strongest: what carries less has no wire
const SVG = "http://www.w3.org/2000/svg";

// `ends` are {element, gain} of the units, `goal` the element of the sum; drawn into `svg`, which covers both.
export function drawWires(svg, ends, goal) {
  const frame = svg.getBoundingClientRect();
  const strongest = Math.max(1e-6, ...ends.map(({ gain }) => Math.abs(gain)));
  const shown = ends.filter(({ gain }) => Math.abs(gain) > LEAST * strongest && strongest > 1e-6);
  shown.sort((one, other) => Math.abs(other.gain) - Math.abs(one.gain)).splice(MOST);
  const box = goal.getBoundingClientRect();
  const end = { x: box.left - frame.left, y: box.top + box.height / 2 - frame.top };
  const below = box.top > ends[0].element.getBoundingClientRect().bottom + 400; // on a phone the sums stand below
  svg.replaceChildren(...(below ? [] : shown.map((wire) => path(wire, frame, end, strongest))));
}

function path({ element, gain }, frame, end, strongest) {
  const box = element.getBoundingClientRect();
  const [x, y] = [box.right - frame.left, box.top + box.height / 2 - frame.top];
  const bend = x + (end.x - x) / 2;
  const wire = document.createElementNS(SVG, "path");
  wire.setAttribute("d", `M${x} ${y} C${bend} ${y} ${bend} ${end.y} ${end.x} ${end.y}`);
  wire.setAttribute("stroke-width", Math.max(0.8, (THICKEST * Math.abs(gain)) / strongest));
  wire.setAttribute("class", gain > 0 ? "for" : "against");
  return wire;
}
