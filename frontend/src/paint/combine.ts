/** Two masks of one slice put together. They come as one byte per voxel; a mask that is not there is empty. */
import { area, fromPixels, intervals, type Mask, rowsOf, toPixels } from "../protocol/mask";
import type { Pixels } from "./strokes";

/** Whether a voxel is inside, by whether it is inside the first and the second. */
type Rule = (first: number, second: number) => number;

export const union = (a: Mask, b: Mask): Mask => combined(a, b, (first, second) => first | second);
export const intersection = (a: Mask, b: Mask): Mask => combined(a, b, (first, second) => first & second);
/** The voxels that only one of them has. */
export const difference = (a: Mask, b: Mask): Mask => combined(a, b, (first, second) => first ^ second);

function combined(a: Mask, b: Mask, rule: Rule): Mask {
  const [first, second] = [toPixels(a), toPixels(b)];
  const pixels: Pixels = first.map((value, i) => rule(value, second[i] as number));
  return fromPixels(pixels, a.height, a.width);
}

/** How far two masks agree; 1 where both are empty. Reads runs alone, so that a whole volume is compared at once. */
export function dice(a: Mask, b: Mask): number {
  const whole = area(a) + area(b);
  return whole ? (2 * common(a, b)) / whole : 1;
}

/** Voxels that both have. */
function common(a: Mask, b: Mask): number {
  const rows = rowsOf(b);
  let count = 0;
  for (const { y, start, end } of intervals(a))
    for (const other of rows[y - b.y0] ?? [])
      count += Math.max(0, Math.min(end, other.end) - Math.max(start, other.start));
  return count;
}

export function sameMask(a: Mask, b: Mask): boolean {
  const sameBox = a.y0 === b.y0 && a.x0 === b.x0 && a.boxHeight === b.boxHeight && a.boxWidth === b.boxWidth;
  return sameBox && a.runs.length === b.runs.length && a.runs.every((run, i) => run === b.runs[i]);
}
