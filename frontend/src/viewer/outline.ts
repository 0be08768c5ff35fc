/** The outline of a mask along the edges of its voxels: what is drawn is what is stored, not a smoothed idea of it. */
import { type Interval, type Mask, rowsOf } from "../protocol/mask";

export interface Edge {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

/** All edges between foreground and background, in voxel coordinates. */
export function* outline(mask: Mask): Generator<Edge> {
  let above: readonly Interval[] = [];
  let y = mask.y0;
  for (const row of rowsOf(mask)) {
    yield* horizontal(above, row, y);
    for (const { start, end } of row) {
      yield { x0: start, y0: y, x1: start, y1: y + 1 };
      yield { x0: end, y0: y, x1: end, y1: y + 1 };
    }
    above = row;
    y += 1;
  }
  yield* horizontal(above, [], y);
}

const DASH = 3;

/**
 * Edges with gaps, by where they lie, so that a dash does not begin anew at every corner. Lengths are in voxels. Given
 * `rows`, only what borders on one of them.
 */
export function* dashed(edges: Iterable<Edge>, rows?: ReadonlySet<number>): Generator<Edge> {
  for (const edge of edges) {
    if (!rows || rows.has(edge.y0) || (edge.y0 === edge.y1 && rows.has(edge.y0 - 1))) yield* dashes(edge);
    else yield edge;
  }
}

function* dashes({ x0, y0, x1, y1 }: Edge): Generator<Edge> {
  for (let x = x0; x < Math.max(x1, x0 + 1); x++)
    if (Math.floor((x + y0) / DASH) % 2 === 0) yield { x0: x, y0, x1: x1 > x0 ? x + 1 : x, y1 };
}

/**
 * Where exactly one of two rows is foreground. Sorted, all starts and ends of both rows lie alternately at the left and
 * the right of such a stretch; one that both rows share appears twice and so encloses nothing.
 */
function* horizontal(above: readonly Interval[], below: readonly Interval[], y: number): Generator<Edge> {
  const ends = [...above, ...below].flatMap(({ start, end }) => [start, end]).sort((a, b) => a - b);
  for (let i = 0; i + 1 < ends.length; i += 2) {
    const [x0, x1] = [ends[i] as number, ends[i + 1] as number];
    if (x0 < x1) yield { x0, y0: y, x1, y1: y };
  }
}
