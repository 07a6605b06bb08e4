// A pen's strokes. A stroke is a list of points {x, y, width} in the sheet's pixels.

// Paint a stroke from its point number `from` on: curves through the middles between points, ends round.
export function paint(context, stroke, from = 0) {
  context.lineCap = context.lineJoin = "round";
  if (stroke.length === 1 || from === 0) dot(context, stroke[0]);
  for (let at = Math.max(1, from); at < stroke.length; at++) {
    const [before, last, point] = [stroke[Math.max(0, at - 2)], stroke[at - 1], stroke[at]];
    const [start, end] = [middle(before, last), middle(last, point)];
    context.lineWidth = (last.width + point.width) / 2;
    context.beginPath();
    context.moveTo(start.x, start.y);
    context.quadraticCurveTo(last.x, last.y, end.x, end.y);
    context.lineTo(point.x, point.y); // up to the pen; the next curve covers it
    context.stroke();
  }
}

// The box around strokes, with the pen's width: {left, top, right, bottom}.
export function bounds(strokes) {
  const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (const { x, y, width } of strokes.flat()) {
    box.left = Math.min(box.left, x - width / 2);
    box.top = Math.min(box.top, y - width / 2);
    box.right = Math.max(box.right, x + width / 2);
    box.bottom = Math.max(box.bottom, y + width / 2);
  }
  return box;
}

function dot(context, { x, y, width }) {
  context.beginPath();
  context.arc(x, y, width / 2, 0, 2 * Math.PI);
  context.fill();
}

function middle(one, other) {
  return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
}
