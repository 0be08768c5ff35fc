/** What is done to a whole mask at once. Every function gives new pixels: one byte per voxel, row-major. */
import type { Grid } from "../viewer/geometry";
import type { Pixels } from "./strokes";

/** With the background that cannot reach the slice's border across edges of voxels. */
export function holesFilled(pixels: Pixels, { rows, columns }: Grid): Pixels {
  const outside = new Uint8Array(pixels.length);
  const border: number[] = [];
  for (let x = 0; x < columns; x++) border.push(x, (rows - 1) * columns + x);
  for (let y = 0; y < rows; y++) border.push(y * columns, y * columns + columns - 1);
  flood(border, (at) => !pixels[at] && !outside[at], outside, columns, EDGES);
  return outside.map((reached) => (reached ? 0 : 1));
}

/** The piece with the most voxels, which may touch at corners; the topmost of several as large. */
export function largestPiece(pixels: Pixels, { columns }: Grid): Pixels {
  const seen = new Uint8Array(pixels.length);
  let largest: readonly number[] = [];
  for (let at = 0; at < pixels.length; at++) {
    if (!pixels[at] || seen[at]) continue;
    const piece = flood([at], (next) => Boolean(pixels[next]) && !seen[next], seen, columns, EDGES_AND_CORNERS);
    if (piece.length > largest.length) largest = piece;
  }
  const kept = new Uint8Array(pixels.length);
  for (const at of largest) kept[at] = 1;
  return kept;
}

type Steps = readonly (readonly [dx: number, dy: number])[];
const EDGES: Steps = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
];
const EDGES_AND_CORNERS: Steps = [...EDGES, [1, 1], [1, -1], [-1, 1], [-1, -1]];

/** Marks and returns all that can be reached from `seeds` over voxels that are `free`. */
function flood(
  seeds: readonly number[],
  free: (at: number) => boolean,
  seen: Uint8Array,
  columns: number,
  steps: Steps,
): number[] {
  const reached: number[] = [];
  const rows = seen.length / columns;
  const reach = (at: number) => {
    if (!free(at)) return;
    seen[at] = 1;
    reached.push(at);
  };
  for (const seed of seeds) reach(seed);
  for (let i = 0; i < reached.length; i++) {
    const at = reached[i] as number;
    const [x, y] = [at % columns, Math.floor(at / columns)];
    for (const [dx, dy] of steps) {
      if (x + dx >= 0 && x + dx < columns && y + dy >= 0 && y + dy < rows) reach(at + dy * columns + dx);
    }
  }
  return reached;
}

/** Everything within `mm` of the mask, from centre to centre. */
export function grown(pixels: Pixels, grid: Grid, mm: number): Pixels {
  return Uint8Array.from(squaredDistance(pixels, grid), (d) => (d <= mm * mm + EPSILON ? 1 : 0));
}

/** What is farther than `mm` from all that is not the mask; beyond the slice's border nothing is known, so nothing shrinks there. */
export function shrunk(pixels: Pixels, grid: Grid, mm: number): Pixels {
  const background = pixels.map((value) => (value ? 0 : 1));
  return Uint8Array.from(squaredDistance(background, grid), (d) => (d <= mm * mm + EPSILON ? 0 : 1));
}

const EPSILON = 1e-9;

/**
 * Squared distance in mm² of every voxel's centre to the nearest foreground centre, infinite where there is none.
 * Exact and in linear time: lower envelopes of parabolas, first along columns, then along rows (Felzenszwalb and
 * Huttenlocher, "Distance transforms of sampled functions", 2012).
 */
export function squaredDistance(pixels: Pixels, { rows, columns, rowMm, columnMm }: Grid): Float64Array {
  const field = Float64Array.from(pixels, (value) => (value ? 0 : Number.POSITIVE_INFINITY));
  const along = (start: number, step: number, count: number, mm: number) => {
    const line = Float64Array.from({ length: count }, (_, i) => field[start + i * step] as number);
    const envelope = lowerEnvelope(line, mm);
    for (let i = 0; i < count; i++) field[start + i * step] = envelope[i] as number;
  };
  for (let x = 0; x < columns; x++) along(x, columns, rows, rowMm);
  for (let y = 0; y < rows; y++) along(y * columns, 1, columns, columnMm);
  return field;
}

/** min over j of line[j] + (mm · (i − j))², for every i. */
function lowerEnvelope(line: Float64Array, mm: number): Float64Array {
  const lowest = new Float64Array(line.length).fill(Number.POSITIVE_INFINITY);
  const { tops, starts } = envelopeOf(line, mm);
  if (tops.length === 0) return lowest;
  for (let i = 0, k = 0; i < line.length; i++) {
    while (k + 1 < tops.length && (starts[k + 1] as number) <= i) k++;
    const top = tops[k] as number;
    lowest[i] = (line[top] as number) + (mm * (i - top)) ** 2;
  }
  return lowest;
}

/** The parabolas of the envelope, by where they stand, and from where on each is the lowest. */
function envelopeOf(line: Float64Array, mm: number) {
  const [tops, starts]: [number[], number[]] = [[], []];
  const height = (j: number) => line[j] as number;
  const crossing = (a: number, b: number) => (height(b) - height(a)) / (2 * mm * mm * (b - a)) + (a + b) / 2;
  for (let j = 0; j < line.length; j++) {
    if (height(j) === Number.POSITIVE_INFINITY) continue;
    while (tops.length > 0 && crossing(tops.at(-1) as number, j) <= (starts.at(-1) as number)) {
      tops.pop();
      starts.pop();
    }
    starts.push(tops.length > 0 ? crossing(tops.at(-1) as number, j) : Number.NEGATIVE_INFINITY);
    tops.push(j);
  }
  return { tops, starts };
}
