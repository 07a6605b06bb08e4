// The tutorials' network: 784 pixels, 128 hidden units, ten sums. Small enough to run while a pen moves.

export const SIDE = 28; // pixels
export const PIXELS = SIDE * SIDE;
export const UNITS = 128;
export const DIGITS = 10;

export class Network {
  // `weights` are the server's: the layers' weights and biases, one after the other.
  constructor(weights) {
    let start = 0;
    const next = (count) => weights.subarray(start, (start += count));
    this.hidden = next(PIXELS * UNITS); // a row for each pixel
    this.hiddenBias = next(UNITS);
    this.digits = next(UNITS * DIGITS); // a row for each unit
    this.digitsBias = next(DIGITS);
  }

  // A frame's 784 pixels of 0 to 255 -> each layer's sums, what the units pass on, and the ten probabilities.
  run(frame) {
    const units = Float32Array.from(this.hiddenBias);
    frame.forEach((pixel, at) => {
      if (pixel) for (let unit = 0; unit < UNITS; unit++) units[unit] += (pixel / 255) * this.hidden[at * UNITS + unit];
    });
    const passed = units.map((sum) => Math.max(0, sum));
    const sums = Float32Array.from(this.digitsBias, (bias, digit) =>
      passed.reduce((sum, value, unit) => sum + value * this.weightOf(unit, digit), bias));
    return { frame, units, passed, sums, probabilities: softmax(sums) };
  }

  // How much a digit's sum gains by a unit that passes on 1.
  weightOf(unit, digit) {
    return this.digits[unit * DIGITS + digit];
  }

  // A unit's 784 weights of the pixels.
  imageOf(unit) {
    return Float32Array.from({ length: PIXELS }, (_, at) => this.hidden[at * UNITS + unit]);
  }

  // The units, those that speak most for 0 first: so that what speaks for one digit stands together.
  order() {
    const favourite = (unit) => {
      const weights = this.digits.subarray(unit * DIGITS, (unit + 1) * DIGITS);
      return weights.indexOf(Math.max(...weights));
    };
    const strength = (unit) => this.weightOf(unit, favourite(unit));
    const units = [...Array(UNITS).keys()];
    return units.sort((one, other) => favourite(one) - favourite(other) || strength(other) - strength(one));
  }
}

function softmax(sums) {
  const most = Math.max(...sums);
  const powers = Array.from(sums, (sum) => Math.exp(sum - most));
  const total = powers.reduce((sum, power) => sum + power);
  return powers.map((power) => power / total);
}
