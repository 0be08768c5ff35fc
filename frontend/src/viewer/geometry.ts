/**
 * Points and the one transform between them. Drawing, clicks, readouts and tests all use the `Affine` of a `Viewport`.
 *
 *   CanvasPoint   CSS pixels from the canvas's top left corner
 *   ImagePoint    continuous voxel coordinates of the slice: voxel (x, y) covers [x, x + 1) × [y, y + 1)
 *   Voxel         a whole voxel: zero-based row y and column x of a slice, the only thing that crosses the wire
 */
declare const brand: unique symbol;
interface Point {
  readonly x: number;
  readonly y: number;
}
export type CanvasPoint = Point & { readonly [brand]: "canvas" };
export type ImagePoint = Point & { readonly [brand]: "image" };
export type Voxel = Point & { readonly [brand]: "voxel" };

export const canvasPoint = (x: number, y: number) => ({ x, y }) as CanvasPoint;
export const imagePoint = (x: number, y: number) => ({ x, y }) as ImagePoint;
export const voxel = (x: number, y: number) => ({ x, y }) as Voxel;
export const centreOf = ({ x, y }: Point) => imagePoint(x + 0.5, y + 0.5);
export const sameVoxel = (a: Point, b: Point) => a.x === b.x && a.y === b.y;
export const distance = (a: Point, b: Point) => Math.hypot(a.x - b.x, a.y - b.y);

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** x' = a·x + c·y + e, y' = b·x + d·y + f, as in canvas and SVG. */
export class Affine {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly e: number;
  readonly f: number;

  constructor(a: number, b: number, c: number, d: number, e: number, f: number) {
    [this.a, this.b, this.c, this.d, this.e, this.f] = [a, b, c, d, e, f];
  }

  static scale(x: number, y = x): Affine {
    return new Affine(x, 0, 0, y, 0, 0);
  }

  apply({ x, y }: Point): Point {
    return { x: this.a * x + this.c * y + this.e, y: this.b * x + this.d * y + this.f };
  }

  /** First this one, then `next`. */
  followedBy(next: Affine): Affine {
    const origin = next.apply(this.apply({ x: 0, y: 0 }));
    return new Affine(
      next.a * this.a + next.c * this.b,
      next.b * this.a + next.d * this.b,
      next.a * this.c + next.c * this.d,
      next.b * this.c + next.d * this.d,
      origin.x,
      origin.y,
    );
  }

  inverse(): Affine {
    const det = this.a * this.d - this.b * this.c;
    const [a, b, c, d] = [this.d / det, -this.b / det, -this.c / det, this.a / det];
    return new Affine(a, b, c, d, -(a * this.e + c * this.f), -(b * this.e + d * this.f));
  }

  toArray(): [number, number, number, number, number, number] {
    return [this.a, this.b, this.c, this.d, this.e, this.f];
  }
}

/** What part of the slice is on the canvas: the image point in the canvas's middle and the zoom in CSS pixels per mm. */
export interface Viewport {
  readonly centre: ImagePoint;
  readonly zoom: number;
}

/** The slice's grid: columns and rows, and the size of a voxel in mm. */
export interface Grid {
  readonly columns: number;
  readonly rows: number;
  readonly columnMm: number;
  readonly rowMm: number;
}

/** From one point of a slice to another, in mm in the patient. */
export const lengthMm = ({ columnMm, rowMm }: Grid, a: Point, b: Point): number =>
  Math.hypot((b.x - a.x) * columnMm, (b.y - a.y) * rowMm);

const FIT_MARGIN = 0.97;
const ZOOM_LIMITS = { least: 0.1, most: 80 };

export function fitted(grid: Grid, canvas: Size): Viewport {
  const zoom = Math.min(canvas.width / (grid.columns * grid.columnMm), canvas.height / (grid.rows * grid.rowMm));
  return { centre: imagePoint(grid.columns / 2, grid.rows / 2), zoom: Math.max(zoom * FIT_MARGIN, ZOOM_LIMITS.least) };
}

/** From image points to canvas points. A voxel is as wide and as high as it is in the patient. */
export function imageToCanvas({ centre, zoom }: Viewport, grid: Grid, canvas: Size): Affine {
  const [sx, sy] = [zoom * grid.columnMm, zoom * grid.rowMm];
  return new Affine(sx, 0, 0, sy, canvas.width / 2 - sx * centre.x, canvas.height / 2 - sy * centre.y);
}

/**
 * The voxel under a pointer, or nothing outside the image. A mouse reports the corner of the device pixel that it is in,
 * hence half a device pixel towards its middle.
 */
export function voxelAt(point: CanvasPoint, toCanvas: Affine, grid: Grid, pixelRatio: number): Voxel | undefined {
  const found = floorVoxel(point, toCanvas, pixelRatio);
  const inside = found.x >= 0 && found.y >= 0 && found.x < grid.columns && found.y < grid.rows;
  return inside ? found : undefined;
}

/** The voxel of the image that is nearest to the pointer, for a drag that leaves the image. */
export function nearestVoxel(point: CanvasPoint, toCanvas: Affine, grid: Grid, pixelRatio: number): Voxel {
  const { x, y } = floorVoxel(point, toCanvas, pixelRatio);
  return clampVoxel(x, y, grid);
}

export function clampVoxel(x: number, y: number, grid: Grid): Voxel {
  return voxel(Math.min(Math.max(x, 0), grid.columns - 1), Math.min(Math.max(y, 0), grid.rows - 1));
}

/**
 * Where a mouse over the centre of a voxel reports itself, given where the canvas begins on the page: the corner of the
 * device pixel that the centre lies in.
 */
export function mouseOver(at: Voxel, toCanvas: Affine, origin: Point, pixelRatio: number): Point {
  const { x, y } = toCanvas.apply(centreOf(at));
  const onPixel = (value: number) => Math.floor(value * pixelRatio) / pixelRatio;
  return { x: onPixel(origin.x + x), y: onPixel(origin.y + y) };
}

/** The point of the image under a pointer, inside or outside of it. */
export function imageAt({ x, y }: CanvasPoint, toCanvas: Affine, pixelRatio: number): ImagePoint {
  const half = 0.5 / pixelRatio;
  const at = toCanvas.inverse().apply(canvasPoint(x + half, y + half));
  return imagePoint(at.x, at.y);
}

function floorVoxel(point: CanvasPoint, toCanvas: Affine, pixelRatio: number): Voxel {
  const { x, y } = imageAt(point, toCanvas, pixelRatio);
  return voxel(Math.floor(x), Math.floor(y));
}

/** Zooms by `factor` so that the image stays where it is under `at`. */
export function zoomAround(view: Viewport, factor: number, at: CanvasPoint, grid: Grid, canvas: Size): Viewport {
  const zoom = Math.min(Math.max(view.zoom * factor, ZOOM_LIMITS.least), ZOOM_LIMITS.most);
  const under = imageToCanvas(view, grid, canvas).inverse().apply(at);
  const right = (at.x - canvas.width / 2) / (zoom * grid.columnMm);
  const down = (at.y - canvas.height / 2) / (zoom * grid.rowMm);
  return { centre: imagePoint(under.x - right, under.y - down), zoom };
}

/** Moves the image by CSS pixels, but never so far that none of it is left in the middle. */
export function pan(view: Viewport, dx: number, dy: number, grid: Grid): Viewport {
  const x = view.centre.x - dx / (view.zoom * grid.columnMm);
  const y = view.centre.y - dy / (view.zoom * grid.rowMm);
  const centre = imagePoint(Math.min(Math.max(x, 0), grid.columns), Math.min(Math.max(y, 0), grid.rows));
  return { ...view, centre };
}
