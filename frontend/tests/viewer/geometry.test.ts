import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  Affine,
  canvasPoint,
  centreOf,
  fitted,
  type Grid,
  imagePoint,
  imageToCanvas,
  mouseOver,
  nearestVoxel,
  pan,
  type Size,
  type Viewport,
  voxel,
  voxelAt,
  zoomAround,
} from "../../src/viewer/geometry";

const RATIOS = [1, 1.1, 1.25, 1.5, 2, 2.625, 3];
const real = (min: number, max: number) => fc.double({ min, max, noNaN: true });

const grids: fc.Arbitrary<Grid> = fc.record({
  columns: fc.integer({ min: 1, max: 1024 }),
  rows: fc.integer({ min: 1, max: 1024 }),
  columnMm: real(0.2, 3),
  rowMm: real(0.2, 7.5),
});
const sizes: fc.Arbitrary<Size> = fc.record({ width: real(50, 2600), height: real(50, 1600) });

/** A grid on a canvas at some zoom, and a voxel of it. */
const scenes = fc
  .record({
    grid: grids,
    size: sizes,
    zoom: real(0.1, 80),
    ratio: fc.constantFrom(...RATIOS),
    u: real(0, 1),
    v: real(0, 1),
  })
  .map(({ grid, size, zoom, ratio, u, v }) => {
    const at = voxel(Math.floor(u * (grid.columns - 1)), Math.floor(v * (grid.rows - 1)));
    const view: Viewport = { centre: imagePoint(grid.columns * v, grid.rows * u), zoom };
    return { grid, size, view, ratio, at, toCanvas: imageToCanvas(view, grid, size) };
  });

const devicePixelsPerVoxel = ({ toCanvas, ratio }: { toCanvas: Affine; ratio: number }) =>
  Math.min(toCanvas.a, toCanvas.d) * ratio;

describe("a click", () => {
  it("where a mouse points at a voxel's centre is in that voxel, at any zoom, pixel ratio and page position", () => {
    fc.assert(
      fc.property(scenes, real(0, 300), real(0, 300), (scene, left, top) => {
        fc.pre(devicePixelsPerVoxel(scene) > 1.001);
        const { at, toCanvas, ratio, grid } = scene;
        const mouse = mouseOver(at, toCanvas, { x: left, y: top }, ratio);
        expect(voxelAt(canvasPoint(mouse.x - left, mouse.y - top), toCanvas, grid, ratio)).toEqual(at);
      }),
      { numRuns: 2000 },
    );
  });

  it("on any device pixel is in the voxel that covers most of that pixel's middle", () => {
    fc.assert(
      fc.property(scenes, fc.nat(4000), fc.nat(3000), (scene, px, py) => {
        const { toCanvas, ratio, grid, view, size } = scene;
        const index = (pixel: number, extent: number, mm: number, middle: number) =>
          ((pixel + 0.5) / ratio - extent / 2) / (view.zoom * mm) + middle;
        const x = index(px, size.width, grid.columnMm, view.centre.x);
        const y = index(py, size.height, grid.rowMm, view.centre.y);
        fc.pre([x, y].every((value) => Math.abs(value - Math.round(value)) > 1e-6));
        const inside = x >= 0 && y >= 0 && x < grid.columns && y < grid.rows;
        const expected = inside ? voxel(Math.floor(x), Math.floor(y)) : undefined;
        expect(voxelAt(canvasPoint(px / ratio, py / ratio), toCanvas, grid, ratio)).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it("outside the image is nothing, a drag there stays on the border", () => {
    const grid = { columns: 10, rows: 20, columnMm: 1, rowMm: 1 };
    const toCanvas = imageToCanvas({ centre: imagePoint(5, 10), zoom: 4 }, grid, { width: 100, height: 100 });
    expect(voxelAt(canvasPoint(0, 50), toCanvas, grid, 1)).toBeUndefined();
    expect(nearestVoxel(canvasPoint(0, 50), toCanvas, grid, 1)).toEqual(voxel(0, 10));
    expect(nearestVoxel(canvasPoint(999, -999), toCanvas, grid, 1)).toEqual(voxel(9, 0));
  });
});

describe("the viewport", () => {
  it("shows voxels as wide and as high as they are in the patient", () => {
    fc.assert(
      fc.property(scenes, ({ toCanvas, grid }) => {
        expect(toCanvas.a / toCanvas.d).toBeCloseTo(grid.columnMm / grid.rowMm, 6);
      }),
    );
  });

  it("fits the whole slice into the canvas, in the middle", () => {
    fc.assert(
      fc.property(grids, sizes, (grid, size) => {
        const view = fitted(grid, size);
        fc.pre(view.zoom > 0.1);
        const toCanvas = imageToCanvas(view, grid, size);
        const [start, end] = [toCanvas.apply(imagePoint(0, 0)), toCanvas.apply(imagePoint(grid.columns, grid.rows))];
        expect(Math.min(start.x, start.y)).toBeGreaterThanOrEqual(0);
        expect(end.x).toBeLessThanOrEqual(size.width);
        expect(end.y).toBeLessThanOrEqual(size.height);
        expect(start.x).toBeCloseTo(size.width - end.x, 5);
      }),
    );
  });

  it("keeps the image where it is under the pointer while it zooms", () => {
    fc.assert(
      fc.property(scenes, real(0, 1), real(0, 1), real(0.2, 5), ({ grid, size, view, toCanvas }, u, v, factor) => {
        const at = canvasPoint(u * size.width, v * size.height);
        const zoomed = imageToCanvas(zoomAround(view, factor, at, grid, size), grid, size);
        const under = toCanvas.inverse().apply(at);
        expect(zoomed.apply(under).x).toBeCloseTo(at.x, 4);
        expect(zoomed.apply(under).y).toBeCloseTo(at.y, 4);
      }),
    );
  });

  it("moves by CSS pixels, and never loses the image", () => {
    const grid = { columns: 100, rows: 100, columnMm: 0.5, rowMm: 2 };
    const view = { centre: imagePoint(50, 50), zoom: 2 };
    expect(pan(view, 10, 8, grid).centre).toEqual({ x: 40, y: 48 });
    expect(pan(view, 1e6, -1e6, grid).centre).toEqual({ x: 0, y: 100 });
  });
});

describe("an affine", () => {
  const affines = fc
    .tuple(real(-9, 9), real(-9, 9), real(-9, 9), real(-9, 9), real(-500, 500), real(-500, 500))
    .filter(([a, b, c, d]) => Math.abs(a * d - b * c) > 0.1)
    .map((values) => new Affine(...values));
  const points = fc.tuple(real(-1000, 1000), real(-1000, 1000)).map(([x, y]) => imagePoint(x, y));

  it("has an inverse, flipped and rotated ones too", () => {
    fc.assert(
      fc.property(affines, points, (affine, point) => {
        const back = affine.inverse().apply(affine.apply(point));
        expect(back.x).toBeCloseTo(point.x, 4);
        expect(back.y).toBeCloseTo(point.y, 4);
      }),
    );
  });

  it("followed by another is the same as one after the other", () => {
    fc.assert(
      fc.property(affines, affines, points, (first, second, point) => {
        const [both, each] = [first.followedBy(second).apply(point), second.apply(first.apply(point))];
        expect(both.x).toBeCloseTo(each.x, 4);
        expect(both.y).toBeCloseTo(each.y, 4);
      }),
    );
  });

  it("puts the centre of a voxel half a voxel from its corner", () => {
    expect(centreOf(voxel(3, 4))).toEqual({ x: 3.5, y: 4.5 });
  });
});
