import { describe, expect, it } from "vitest";
import { areaMm2, greyUnder, volumeMl } from "../../src/desk/measures";
import { emptyMask, fromPixels } from "../../src/protocol/mask";

const SPACING = { spacing: [3, 0.5, 2] as const };
// 4 rows of 6 columns: a rectangle of 2 × 3
const MASK = fromPixels(
  Array.from({ length: 24 }, (_, at) => (at % 6 >= 2 && at % 6 < 5 && at >= 6 && at < 18 ? 1 : 0)),
  4,
  6,
);

describe("a mask", () => {
  it("has the area of its pixels, however flat they are", () => {
    expect(areaMm2(MASK, SPACING)).toBeCloseTo(6 * 0.5 * 2);
    expect(areaMm2(emptyMask(4, 6), SPACING)).toBe(0);
  });

  it("adds to a volume with the thickness of its slice", () => {
    expect(volumeMl([MASK, MASK, emptyMask(4, 6)], SPACING)).toBeCloseTo((2 * 6 * 3) / 1000);
    expect(volumeMl([], SPACING)).toBe(0);
  });

  it("tells the mean and spread of what lies under it and of nothing else", () => {
    const slice = new Int16Array(24).fill(3000);
    for (const [i, at] of [8, 9, 10, 14, 15, 16].entries()) slice[at] = -1000 + 100 * i;
    const grey = greyUnder(MASK, slice);
    expect(grey?.mean).toBeCloseTo(-750);
    expect(grey?.sd).toBeCloseTo(Math.sqrt((250 ** 2 + 150 ** 2 + 50 ** 2) / 3));
    expect(greyUnder(emptyMask(4, 6), slice)).toBeUndefined();
  });
});
