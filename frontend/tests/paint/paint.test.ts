import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { grown, holesFilled, largestPiece, shrunk, squaredDistance } from "../../src/paint/morphology";
import { paintLine, paintPolygon } from "../../src/paint/strokes";
import { type Grid, imagePoint } from "../../src/viewer/geometry";

const grid = (columns: number, rows: number, columnMm = 1, rowMm = 1): Grid => ({ columns, rows, columnMm, rowMm });

/** "#" is foreground. */
function picture(text: string) {
  const lines = text.trim().split(/\s+/);
  const pixels = Uint8Array.from(lines.join(""), (letter) => (letter === "#" ? 1 : 0));
  return { pixels, grid: grid(lines[0]?.length ?? 0, lines.length) };
}

const drawn = (pixels: Uint8Array, columns: number) =>
  (
    Array.from(pixels, (value) => (value ? "#" : "."))
      .join("")
      .match(new RegExp(`.{${columns}}`, "g")) ?? []
  ).join(" ");

const pictures = fc
  .record({
    columns: fc.integer({ min: 1, max: 12 }),
    rows: fc.integer({ min: 1, max: 12 }),
    columnMm: fc.double({ min: 0.3, max: 3, noNaN: true }),
    rowMm: fc.double({ min: 0.3, max: 3, noNaN: true }),
  })
  .chain((of) =>
    fc
      .array(fc.integer({ min: 0, max: 1 }), { minLength: of.columns * of.rows, maxLength: of.columns * of.rows })
      .map((values) => ({ grid: of as Grid, pixels: Uint8Array.from(values) })),
  );

describe("a brush", () => {
  it("is round in millimetres, whatever the voxels are", () => {
    const of = grid(9, 9, 1, 2);
    const pixels = new Uint8Array(81);
    paintLine(pixels, of, imagePoint(4.5, 4.5), imagePoint(4.5, 4.5), 4, 1);
    const row = (y: number) => pixels.subarray(y * 9, y * 9 + 9).reduce((sum, value) => sum + value, 0);
    expect([0, 1, 2, 3, 4, 5, 6, 7, 8].map(row)).toEqual([0, 0, 1, 7, 9, 7, 1, 0, 0]);
  });

  it("marks the voxel under it, however thin it is", () => {
    const pixels = new Uint8Array(9);
    paintLine(pixels, grid(3, 3), imagePoint(1.1, 1.9), imagePoint(1.1, 1.9), 0.05, 1);
    expect(drawn(pixels, 3)).toBe("... .#. ...");
  });

  it("leaves no gap on a long way, and takes away what it gave", () => {
    const of = grid(20, 5);
    const pixels = new Uint8Array(100);
    paintLine(pixels, of, imagePoint(1.5, 2.5), imagePoint(18.5, 2.5), 1, 1);
    expect(drawn(pixels, 20).split(" ")[2]).toBe("#".repeat(20));
    paintLine(pixels, of, imagePoint(1.5, 2.5), imagePoint(18.5, 2.5), 1, 0);
    expect(pixels.some(Boolean)).toBe(false);
  });

  it("keeps to what it may touch", () => {
    const pixels = new Uint8Array(25);
    paintLine(pixels, grid(5, 5), imagePoint(2.5, 2.5), imagePoint(2.5, 2.5), 9, 1, (at) => at % 5 === 0);
    expect(drawn(pixels, 5)).toBe("#.... #.... #.... #.... #....");
  });

  it("may leave the slice", () => {
    const pixels = new Uint8Array(9);
    paintLine(pixels, grid(3, 3), imagePoint(-50, -50), imagePoint(60, -40), 2, 1);
    expect(pixels.some(Boolean)).toBe(false);
    paintLine(pixels, grid(3, 3), imagePoint(-50, 1.5), imagePoint(60, 1.5), 0.4, 1);
    expect(drawn(pixels, 3)).toBe("... ### ...");
  });
});

describe("a lasso", () => {
  it("takes the voxels whose centres it goes around", () => {
    const pixels = new Uint8Array(25);
    const corners = [imagePoint(1, 1), imagePoint(4, 1), imagePoint(4, 4), imagePoint(1, 4)];
    paintPolygon(pixels, grid(5, 5), corners, 1);
    expect(drawn(pixels, 5)).toBe("..... .###. .###. .###. .....");
    paintPolygon(pixels, grid(5, 5), [imagePoint(2, 2), imagePoint(9, 2), imagePoint(9, 3), imagePoint(2, 3)], 0);
    expect(drawn(pixels, 5)).toBe("..... .###. .#... .###. .....");
  });

  it("agrees with counting crossings voxel by voxel", () => {
    const points = fc.array(
      fc.tuple(fc.double({ min: -3, max: 15, noNaN: true }), fc.double({ min: -3, max: 15, noNaN: true })),
      {
        minLength: 3,
        maxLength: 8,
      },
    );
    fc.assert(
      fc.property(points, (corners) => {
        const of = grid(12, 12);
        const pixels = new Uint8Array(144);
        paintPolygon(
          pixels,
          of,
          corners.map(([x, y]) => imagePoint(x, y)),
          1,
        );
        const inside = (x: number, y: number) =>
          corners.filter(([ax, ay], i) => {
            const [bx, by] = corners[(i + 1) % corners.length] as [number, number];
            return ay <= y !== by <= y && ax + ((y - ay) / (by - ay)) * (bx - ax) <= x;
          }).length % 2;
        for (const [at, value] of pixels.entries())
          expect(value).toBe(inside((at % 12) + 0.5, Math.floor(at / 12) + 0.5));
      }),
    );
  });
});

describe("filling holes", () => {
  it("fills what the border cannot reach across edges", () => {
    const { pixels, grid } = picture(".###. #...# #.#.# .###. .....");
    expect(drawn(holesFilled(pixels, grid), 5)).toBe(".###. ##### ##### .###. .....");
  });
  it("leaves a bay, and an empty slice, as they are", () => {
    const { pixels, grid } = picture("#.# #.# ###");
    expect(drawn(holesFilled(pixels, grid), 3)).toBe("#.# #.# ###");
    expect(holesFilled(new Uint8Array(9), grid).some(Boolean)).toBe(false);
  });
});

describe("the largest piece", () => {
  it("is kept alone; corners connect", () => {
    const { pixels, grid } = picture("##..# ....# #.... .#... ..#..");
    expect(drawn(largestPiece(pixels, grid), 5)).toBe("..... ..... #.... .#... ..#..");
  });
  it("of nothing is nothing", () => {
    expect(largestPiece(new Uint8Array(9), grid(3, 3)).some(Boolean)).toBe(false);
  });
});

describe("distances", () => {
  it("are those of trying every voxel", () => {
    fc.assert(
      fc.property(pictures, ({ pixels, grid }) => {
        const fast = squaredDistance(pixels, grid);
        const foreground = [...pixels.keys()].filter((at) => pixels[at]);
        for (const at of pixels.keys()) {
          const slow = Math.min(
            ...foreground.map((to) => {
              const dx = ((at % grid.columns) - (to % grid.columns)) * grid.columnMm;
              const dy = (Math.floor(at / grid.columns) - Math.floor(to / grid.columns)) * grid.rowMm;
              return dx * dx + dy * dy;
            }),
          );
          if (Number.isFinite(slow)) expect(fast[at]).toBeCloseTo(slow, 6);
          else expect(fast[at]).toBe(slow);
        }
      }),
    );
  });
});

describe("growing and shrinking", () => {
  it("go by millimetres on long voxels", () => {
    const of = grid(7, 3, 1, 2);
    const pixels = new Uint8Array(21);
    pixels[10] = 1;
    expect(drawn(grown(pixels, of, 1), 7)).toBe("....... ..###.. .......");
    expect(drawn(grown(pixels, of, 2), 7)).toBe("...#... .#####. ...#...");
    expect(drawn(shrunk(grown(pixels, of, 2), of, 1), 7)).toBe("....... ..###.. .......");
  });
  it("never shrink from the border of the slice, and leave nothing of nothing", () => {
    const of = grid(4, 4);
    expect(shrunk(new Uint8Array(16).fill(1), of, 3).every(Boolean)).toBe(true);
    expect(grown(new Uint8Array(16), of, 3).some(Boolean)).toBe(false);
  });
});
