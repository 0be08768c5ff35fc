/**
 * Brush and lasso on the pixels of a slice: one byte per voxel, row-major. Points are image points, so that a stroke is as
 * wide in millimetres whatever the voxels are. A voxel is inside where its centre is.
 */
import type { Grid, ImagePoint } from "../viewer/geometry";

export type Pixels = Uint8Array;

/** Whether a stroke may touch the voxel at this index. */
export type Allowed = (index: number) => boolean;
const EVERYWHERE: Allowed = () => true;

/** Sets what lies within `radiusMm` of the way from one point to another, and always the voxels under its two ends. */
export function paintLine(
  pixels: Pixels,
  grid: Grid,
  from: ImagePoint,
  to: ImagePoint,
  radiusMm: number,
  value: 0 | 1,
  allowed: Allowed = EVERYWHERE,
): void {
  const [left, right] = span(from.x, to.x, radiusMm / grid.columnMm + 1, grid.columns);
  const [top, bottom] = span(from.y, to.y, radiusMm / grid.rowMm + 1, grid.rows);
  const isInside = nearLine(grid, from, to, radiusMm);
  const isEnd = ({ x, y }: ImagePoint, column: number, row: number) =>
    Math.floor(x) === column && Math.floor(y) === row;
  for (let y = top; y < bottom; y++)
    for (let x = left; x < right; x++) {
      const isMeant = isInside(x + 0.5, y + 0.5) || isEnd(from, x, y) || isEnd(to, x, y);
      if (isMeant && allowed(y * grid.columns + x)) pixels[y * grid.columns + x] = value;
    }
}

function span(a: number, b: number, reach: number, size: number): [number, number] {
  return [Math.max(0, Math.floor(Math.min(a, b) - reach)), Math.min(size, Math.ceil(Math.max(a, b) + reach))];
}

function nearLine({ columnMm, rowMm }: Grid, from: ImagePoint, to: ImagePoint, radiusMm: number) {
  const [dx, dy] = [(to.x - from.x) * columnMm, (to.y - from.y) * rowMm];
  const length = dx * dx + dy * dy;
  return (x: number, y: number): boolean => {
    const [px, py] = [(x - from.x) * columnMm, (y - from.y) * rowMm];
    const along = length ? Math.min(Math.max((px * dx + py * dy) / length, 0), 1) : 0;
    const [ex, ey] = [px - along * dx, py - along * dy];
    return ex * ex + ey * ey <= radiusMm * radiusMm;
  };
}

/** Sets what the closed line through `points` goes around (even-odd, as canvas and SVG have it). */
export function paintPolygon(pixels: Pixels, grid: Grid, points: readonly ImagePoint[], value: 0 | 1): void {
  const ys = points.map(({ y }) => y);
  const top = Math.max(0, Math.floor(Math.min(...ys)));
  const bottom = Math.min(grid.rows, Math.ceil(Math.max(...ys)));
  for (let row = top; row < bottom; row++) {
    const crossings = crossingsOf(points, row + 0.5);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const start = Math.max(0, Math.ceil((crossings[i] as number) - 0.5));
      const end = Math.min(grid.columns, Math.ceil((crossings[i + 1] as number) - 0.5));
      if (end > start) pixels.fill(value, row * grid.columns + start, row * grid.columns + end);
    }
  }
}

/** Where the closed line crosses a height, from left to right. */
function crossingsOf(points: readonly ImagePoint[], y: number): number[] {
  const crossings: number[] = [];
  for (const [i, a] of points.entries()) {
    const b = points[(i + 1) % points.length] as ImagePoint;
    if (a.y <= y !== b.y <= y) crossings.push(a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x));
  }
  return crossings.sort((a, b) => a - b);
}
