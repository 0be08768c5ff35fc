/** What a mask measures: mm² and ml by the voxels' size, Hounsfield units by what lies under it. */
import { area, intervals, type Mask } from "../protocol/mask";
import type { Series } from "./assignment";

export interface Grey {
  readonly mean: number;
  /** Of the voxels themselves (divisor n), as `annotator/annotation/measure.py` has it. */
  readonly sd: number;
}

const areas = new WeakMap<Mask, number>();

/** A mask never changes, so its pixels are counted once, however often a drag asks for the volume. */
function pixels(mask: Mask): number {
  const counted = areas.get(mask) ?? area(mask);
  areas.set(mask, counted);
  return counted;
}

export const areaMm2 = (mask: Mask, { spacing }: Pick<Series, "spacing">): number =>
  pixels(mask) * spacing[1] * spacing[2];

export const volumeMl = (masks: readonly Mask[], series: Pick<Series, "spacing">): number =>
  masks.reduce((sum, mask) => sum + areaMm2(mask, series) * series.spacing[0], 0) / 1000;

export function greyUnder(mask: Mask, slice: Int16Array): Grey | undefined {
  const count = pixels(mask);
  if (count === 0) return undefined;
  let [sum, squares] = [0, 0]; // whole numbers: exact up to 2 ** 53
  for (const { y, start, end } of intervals(mask))
    for (let at = y * mask.width + start; at < y * mask.width + end; at++) {
      const value = slice[at] ?? 0;
      sum += value;
      squares += value * value;
    }
  const mean = sum / count;
  return { mean, sd: Math.sqrt(Math.max(0, squares / count - mean * mean)) };
}
