import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromPixels } from "../../src/protocol/mask";
import { edgeLetters, letters, positionText, scaleBar } from "../../src/viewer/orientation";
import { outline } from "../../src/viewer/outline";
import { autoWindow, lookupTable, paintGreys } from "../../src/viewer/window";

describe("the lookup table", () => {
  const grey = (hu: number, width: number, level: number) => {
    const rgba = new Uint32Array(1);
    paintGreys(Int16Array.of(hu), lookupTable({ width, level }), rgba);
    return [...new Uint8Array(rgba.buffer)];
  };

  it("is black below the window, white above, linear between", () => {
    expect(grey(-160, 400, 40)).toEqual([0, 0, 0, 255]);
    expect(grey(240, 400, 40)).toEqual([255, 255, 255, 255]);
    expect(grey(40, 400, 40)).toEqual([128, 128, 128, 255]);
    expect(grey(-32768, 400, 40)).toEqual([0, 0, 0, 255]);
    expect(grey(32767, 400, 40)).toEqual([255, 255, 255, 255]);
  });

  it("is (v − low) / width for every value and window", () => {
    const value = fc.integer({ min: -32768, max: 32767 });
    fc.assert(
      fc.property(
        value,
        fc.integer({ min: 1, max: 8000 }),
        fc.integer({ min: -2000, max: 5000 }),
        (hu, width, level) => {
          const share = Math.min(Math.max((hu - (level - width / 2)) / width, 0), 1);
          expect(grey(hu, width, level)[0]).toBe(Math.round(255 * share));
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("the automatic window", () => {
  it("spans what is not air", () => {
    const values = Int16Array.from({ length: 2000 }, (_, i) => (i < 1000 ? -1024 : i - 1000));
    expect(autoWindow(values)).toEqual({ width: 975, level: 508 });
  });

  it("has a width even for a slice of nothing", () => {
    expect(autoWindow(new Int16Array(100).fill(-1024))).toEqual({ width: 1, level: -1024 });
  });
});

describe("the outline", () => {
  const sides = (pixels: number[], height: number, width: number) =>
    [...outline(fromPixels(pixels, height, width))]
      .flatMap(({ x0, y0, x1, y1 }) =>
        Array.from({ length: x1 - x0 + y1 - y0 }, (_, i) => (y0 === y1 ? `h${x0 + i},${y0}` : `v${x0},${y0 + i}`)),
      )
      .sort();

  /** Pixel by pixel: every side between a foreground pixel and one that is none. */
  function expected(pixels: number[], height: number, width: number): string[] {
    const is = (y: number, x: number) => x >= 0 && x < width && pixels[y * width + x] === 1;
    const corners = Array.from({ length: (height + 1) * (width + 1) }, (_, i) => [
      Math.floor(i / (width + 1)),
      i % (width + 1),
    ]);
    const horizontal = corners.filter(([y = 0, x = 0]) => is(y, x) !== is(y - 1, x)).map(([y, x]) => `h${x},${y}`);
    const vertical = corners.filter(([y = 0, x = 0]) => is(y, x) !== is(y, x - 1)).map(([y, x]) => `v${x},${y}`);
    return [...horizontal, ...vertical].sort();
  }

  it("is exactly the sides between foreground and background", () => {
    const pixels = fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 63, maxLength: 63 });
    fc.assert(
      fc.property(pixels, (mask) => {
        expect(sides(mask, 7, 9)).toEqual(expected(mask, 7, 9));
      }),
    );
  });

  it("of one pixel has four sides", () => {
    expect(sides([0, 0, 0, 1], 2, 2)).toEqual(["h1,1", "h1,2", "v1,1", "v2,1"]);
  });
});

describe("orientation", () => {
  const AXIAL = [-0.8, 0, 0, 200, 0, -0.8, 0, 180, 0, 0, 5, -90, 0, 0, 0, 1];

  it("of an axial slice is R on the left, A on top", () => {
    expect(edgeLetters(AXIAL)).toEqual({ left: "R", right: "L", top: "A", bottom: "P" });
  });

  it("of an oblique direction has the letters in order of strength", () => {
    expect(letters([-0.9, 0.1, 0.4])).toBe("LS");
    expect(letters([-0.5, 0.7, 0.5])).toBe("ALS");
    expect(letters([-1, 0.05, 0])).toBe("L");
  });

  it("says a position as people do", () => {
    expect(positionText(AXIAL, 300, 100, 20)).toBe("L 40.0  A 100.0  S 10.0");
  });
});

describe("the scale bar", () => {
  it("is a round length that fits", () => {
    expect(scaleBar(1, 140)).toEqual({ mm: 100, pixels: 100, text: "10 cm" });
    expect(scaleBar(2.5, 140)).toEqual({ mm: 50, pixels: 125, text: "5 cm" });
    expect(scaleBar(30, 140).text).toBe("2 mm");
  });

  it("is as long as it says at any zoom", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 80, noNaN: true }), (zoom) => {
        const { mm, pixels } = scaleBar(zoom, 140);
        expect(pixels).toBeCloseTo(mm * zoom, 6);
        expect(pixels).toBeLessThanOrEqual(140.0001);
        expect(pixels).toBeGreaterThan(140 / 2.6);
      }),
    );
  });
});
