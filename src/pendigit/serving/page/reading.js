// What was read, which of its digits is chosen, and what the user says they are.

const SURE = 0.9; // of the confidence: below it a digit is marked, as on the command line
const SAME = 0.7; // of two boxes that they share: then it is the same digit, read again

// Fires "change".
export class Reading extends EventTarget {
  rows = []; // of {digits, groups}; a digit also knows its row, doubtful and correction
  others = []; // ink that is no digit
  picture = null; // {file, place}: what was read, and where a box of it is shown
  drawn = true;
  chosen = null;

  get digits() {
    return this.rows.flatMap((row) => row.digits);
  }

  get text() {
    return this.rows.map(textOf).join("\n");
  }

  // Take the server's answer for a picture. `near` is a point {x, y} whose digit is chosen, as fractions of the view.
  show(answer, picture, drawn, near) {
    const before = this.drawn === drawn ? this.digits.map((each) => ({ ...each, place: this.placeOf(each) })) : [];
    Object.assign(this, { picture, drawn, others: answer.others });
    this.rows = answer.rows.map((row, number) => ({
      groups: row.groups,
      digits: row.digits.map((digit) => this.#digit(digit, number, before)),
    }));
    this.chosen = near ? this.#nearest(near) : (this.digits.find((digit) => digit.doubtful) ?? this.digits[0]);
    this.chosen ??= null;
    this.#changed();
  }

  clear() {
    Object.assign(this, { rows: [], others: [], picture: null, chosen: null });
    this.#changed();
  }

  choose(digit) {
    this.chosen = digit;
    this.#changed();
  }

  // Choose the digit that lies `by` places after the chosen one.
  step(by) {
    const next = this.digits[this.digits.indexOf(this.chosen) + by];
    if (next) this.choose(next);
  }

  // Where a digit, or other ink, is shown: {left, top, right, bottom} as fractions of the view.
  placeOf({ box }) {
    return this.picture.place(box);
  }

  // The view has another shape.
  moved() {
    this.#changed();
  }

  // Note a correction {id, digit} as the server keeps it, or null. The digit is known by its place: while the server
  // kept it, the same digit may have been read anew.
  correct(place, correction) {
    const digit = this.digits.find((each) => shared(place, this.placeOf(each)) > SAME);
    if (digit) digit.correction = correction;
    this.#changed();
  }

  #digit(answer, row, before) {
    const old = before.find((each) => each.correction && shared(each.place, this.placeOf(answer)) > SAME);
    return { ...answer, row, doubtful: answer.confidence < SURE, correction: old?.correction ?? null };
  }

  #nearest({ x, y }) {
    const distance = (digit) => {
      const { left, top, right, bottom } = this.placeOf(digit);
      return Math.hypot(Math.max(left - x, 0, x - right), Math.max(top - y, 0, y - bottom));
    };
    return this.digits.reduce((best, digit) => (best && distance(best) <= distance(digit) ? best : digit), null);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

// What a digit is, as far as is known.
export function valueOf(digit) {
  return digit.correction?.digit ?? digit.digit;
}

export function textOf(row) {
  return row.digits.map(valueOf).join("");
}

// The area that two places share, of the area that they cover together.
function shared(one, other) {
  const width = Math.min(one.right, other.right) - Math.max(one.left, other.left);
  const height = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
  const both = Math.max(0, width) * Math.max(0, height);
  return both / (area(one) + area(other) - both);
}

function area({ left, top, right, bottom }) {
  return (right - left) * (bottom - top);
}
