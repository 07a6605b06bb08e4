// Drawing without a pointer: arrows move a pen, space puts it down and lifts it.

const STEP = 0.04; // of the sheet's shorter side for one press of an arrow
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// Let a pad be drawn on by keys while its canvas has the focus; `nib` is the element that shows where the pen is.
export function drawByKeys(pad, canvas, nib) {
  let [x, y, down] = [0.2, 0.25, false]; // x and y as shares of the sheet

  function show() {
    nib.style.left = `${100 * x}%`;
    nib.style.top = `${100 * y}%`;
    nib.classList.toggle("down", down);
  }

  function press() {
    down = !down;
    if (down) pad.begin(x * pad.size.width, y * pad.size.height);
    else pad.lift();
  }

  function move([across, along]) {
    const step = STEP * Math.min(pad.size.width, pad.size.height);
    x = Math.min(1, Math.max(0, x + (across * step) / pad.size.width));
    y = Math.min(1, Math.max(0, y + (along * step) / pad.size.height));
    if (down) pad.extend(x * pad.size.width, y * pad.size.height);
  }

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " ") press();
    else if (event.key in ARROWS) move(ARROWS[event.key]);
    else return;
    event.preventDefault();
    show();
  });
  canvas.addEventListener("blur", () => {
    if (down) press();
    show();
  });
  show();
}
