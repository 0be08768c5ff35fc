/** Which label has a voxel that several masks claim, as `annotator/annotation/overlap.py` has it. */
import { area, fromIntervals, type Interval, intervals, type Mask, rowsOf } from "../protocol/mask";

/** `allowed`: masks may overlap; `newest`: the newest mask has the voxel; `background`: a mask takes none that another has. */
export type OverlapRule = "allowed" | "newest" | "background";

/** A label's mask of a slice, and the interaction that it comes from. */
export interface Claim {
  readonly label: number;
  readonly mask: Mask;
  readonly since: number;
}

/** What each label has of the slice. */
export function visibleMasks(claims: readonly Claim[], rule: OverlapRule): ReadonlyMap<number, Mask> {
  if (rule === "allowed") return new Map(claims.map(({ label, mask }) => [label, mask]));
  const newestLast = claims.filter(({ mask }) => mask.runs.length > 0).sort((a, b) => a.since - b.since);
  return new Map(newestLast.map(({ label, mask }, i) => [label, without(mask, newestLast.slice(i + 1))]));
}

const made = new WeakMap<Mask, { readonly others: readonly Mask[]; readonly mask: Mask }>();

/** The mask without the voxels of newer ones. Masks never change, so what was made of the same ones is there still. */
function without(mask: Mask, newer: readonly Claim[]): Mask {
  const others = newer.map((claim) => claim.mask).filter((other) => boxesMeet(mask, other));
  if (others.length === 0) return mask;
  const known = made.get(mask);
  if (known?.others.length === others.length && known.others.every((other, i) => other === others[i]))
    return known.mask;
  const left = others.reduce<Iterable<Interval>>(minus, intervals(mask));
  const cut = fromIntervals(left, mask.height, mask.width);
  const result = area(cut) === area(mask) ? mask : cut; // boxes that meet need not share a voxel
  made.set(mask, { others, mask: result });
  return result;
}

/** Intervals without the voxels of a mask, in the same order. */
function* minus(given: Iterable<Interval>, taken: Mask): Generator<Interval> {
  const rows = rowsOf(taken);
  for (const { y, start, end } of given) {
    let at = start;
    for (const other of rows[y - taken.y0] ?? []) {
      const until = Math.min(other.start, end);
      if (at < until) yield { y, start: at, end: until };
      at = Math.max(at, other.end);
    }
    if (at < end) yield { y, start: at, end };
  }
}

/** Takes the voxels of a mask out of a slice's pixels. */
export function erase(pixels: Uint8Array, mask: Mask): void {
  for (const { y, start, end } of intervals(mask)) pixels.fill(0, y * mask.width + start, y * mask.width + end);
}

function boxesMeet(a: Mask, b: Mask): boolean {
  const apart = a.x0 + a.boxWidth <= b.x0 || b.x0 + b.boxWidth <= a.x0;
  return !apart && a.y0 < b.y0 + b.boxHeight && b.y0 < a.y0 + a.boxHeight;
}
