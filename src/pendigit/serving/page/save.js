// What was read, taken away: copied, as CSV, as JSON.
import { textOf, valueOf } from "./reading.js";

// A line for each row, its groups parted by tabs, so that a spreadsheet takes them as columns.
export function asText(reading) {
  return reading.rows.map((row) => groupsOf(row).join("\t")).join("\n");
}

export function asCsv(reading) {
  const lines = reading.rows.map((row, number) => {
    const doubtful = row.digits.filter((digit) => digit.doubtful && !digit.correction).length;
    const probability = row.digits.reduce((product, each) => product * (each.correction ? 1 : each.probability), 1);
    return [number + 1, groupsOf(row).join(" "), probability.toFixed(6), doubtful].join(",");
  });
  return ["row,number,probability,doubtful", ...lines, ""].join("\n");
}

export function asJson(reading) {
  const rows = reading.rows.map((row) => ({ text: textOf(row), groups: groupsOf(row), digits: row.digits.map(plain) }));
  return `${JSON.stringify({ text: reading.text, rows }, null, 2)}\n`;
}

export function download(content, name, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000); // by then the browser has taken it
}

function groupsOf(row) {
  const text = textOf(row);
  let start = 0;
  return row.groups.map((group) => text.slice(start, (start += group.length)));
}

function plain(digit) {
  const { probability, probabilities, box, doubtful, correction } = digit;
  const read = correction ? { read: digit.digit } : {};
  return { digit: valueOf(digit), ...read, probability, probabilities, box, doubtful };
}
