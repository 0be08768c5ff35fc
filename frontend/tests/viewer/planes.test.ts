import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromPixels, type Mask, toPixels } from "../../src/protocol/mask";
import { voxel } from "../../src/viewer/geometry";
import type { LabelMask } from "../../src/viewer/layers";
import { edgeLetters, positionText } from "../../src/viewer/orientation";
import { dashed, outline } from "../../src/viewer/outline";
import {
  BLANK,
  PLANE_NAMES,
  Plane,
  PlaneImage,
  PlaneMasks,
  type PlaneName,
  type VolumePoint,
} from "../../src/viewer/planes";

const SPACING = [5, 0.7, 0.8] as const;
const AFFINE = [-0.8, 0, 0, 100, 0, -0.7, 0, 120, 0, 0, 5, -300, 0, 0, 0, 1];

interface Volume {
  readonly shape: readonly [number, number, number];
  readonly slices: readonly Int16Array[];
}

const size = fc.integer({ min: 1, max: 6 });
const volumes: fc.Arbitrary<Volume> = fc.tuple(size, size, size).chain(([depth, rows, columns]) =>
  fc
    .array(fc.int16Array({ minLength: rows * columns, maxLength: rows * columns }), {
      minLength: depth,
      maxLength: depth,
    })
    .map((slices) => ({ shape: [depth, rows, columns] as const, slices })),
);
/** A volume, one of its planes, and a voxel. */
const scenes = fc
  .record({
    volume: volumes,
    name: fc.constantFrom<PlaneName>(...PLANE_NAMES),
    shares: fc.tuple(...[0, 1, 2].map(() => fc.double({ min: 0, max: 0.999, noNaN: true }))),
  })
  .map(({ volume, name, shares }) => {
    const [z = 0, y = 0, x = 0] = volume.shape.map((n, i) => Math.floor(n * (shares[i] ?? 0)));
    return { volume, plane: new Plane(name, volume.shape, SPACING), point: { x, y, z } };
  });

const valueAt = ({ shape, slices }: Volume, { x, y, z }: VolumePoint) => slices[z]?.[y * shape[2] + x];
const valueIn = (picture: ArrayLike<number>, { grid }: Plane, at: { x: number; y: number }) =>
  picture[at.y * grid.columns + at.x];

describe("a plane across the slices", () => {
  it("has the proportions of the patient", () => {
    const shape = [40, 512, 300] as const;
    expect(new Plane("coronal", shape, SPACING).grid).toEqual({ columns: 300, rows: 40, columnMm: 0.8, rowMm: 5 });
    expect(new Plane("sagittal", shape, SPACING).grid).toEqual({ columns: 512, rows: 40, columnMm: 0.7, rowMm: 5 });
    expect(PLANE_NAMES.map((name) => new Plane(name, shape, SPACING).cuts)).toEqual([512, 300]);
  });

  it("has the head up, the patient's left at the right of the coronal one, the back at the right of the sagittal one", () => {
    const letters = PLANE_NAMES.map((name) => edgeLetters(new Plane(name, [40, 300, 300], SPACING).matrix(AFFINE)));
    expect(letters).toEqual([
      { left: "R", right: "L", top: "S", bottom: "I" },
      { left: "A", right: "P", top: "S", bottom: "I" },
    ]);
  });

  it("lies where the volume lies", () => {
    fc.assert(
      fc.property(scenes, ({ plane, point }) => {
        const { x, y } = plane.toVoxel(point);
        const inPlane = positionText(plane.matrix(AFFINE), x, y, plane.cutAt(point));
        expect(inPlane).toBe(positionText(AFFINE, point.x, point.y, point.z));
      }),
    );
  });

  it("leads from a voxel of the volume to its own and back", () => {
    fc.assert(
      fc.property(scenes, ({ plane, point }) => {
        expect(plane.toPoint(plane.toVoxel(point), plane.cutAt(point))).toEqual(point);
      }),
    );
  });
});

describe("the picture of a plane", () => {
  it("has every voxel of the volume where the plane says it is", () => {
    fc.assert(
      fc.property(scenes, ({ volume, plane, point }) => {
        const picture = new PlaneImage(plane).at(plane.cutAt(point), (z) => volume.slices[z]);
        expect(valueIn(picture, plane, plane.toVoxel(point))).toBe(valueAt(volume, point));
      }),
    );
  });

  it("is blank where slices are missing, fills in as they come, and then is the same as one made at once", () => {
    fc.assert(
      fc.property(scenes, fc.infiniteStream(fc.boolean()), ({ volume, plane, point }, coins) => {
        const [image, cut, has] = [
          new PlaneImage(plane),
          plane.cutAt(point),
          volume.slices.map(() => coins.next().value),
        ];
        const early = image.at(cut, (z) => (has[z] ? volume.slices[z] : undefined));
        expect(valueIn(early, plane, plane.toVoxel(point))).toBe(has[point.z] ? valueAt(volume, point) : BLANK);
        const late = image.at(cut, (z) => (has[z] ? undefined : volume.slices[z])); // what came first is forgotten
        expect(late).toEqual(new PlaneImage(plane).at(cut, (z) => volume.slices[z]));
      }),
    );
  });

  it("is the very same where nothing has come, and starts anew on another cut", () => {
    const plane = new Plane("coronal", [2, 2, 2], SPACING);
    const image = new PlaneImage(plane);
    const slices = [Int16Array.of(1, 2, 3, 4), undefined];
    const first = image.at(0, (z) => slices[z]);
    expect(first).toEqual(Int16Array.of(BLANK, BLANK, 1, 2));
    expect(image.at(0, (z) => slices[z])).toBe(first);
    expect(image.at(1, (z) => slices[z])).toEqual(Int16Array.of(BLANK, BLANK, 3, 4));
  });

  it("shows the slice below where a large volume is read in steps, and the slice itself once it is there", () => {
    const plane = new Plane("sagittal", [4, 1, 1], SPACING);
    const image = new PlaneImage(plane);
    const all = [10, 11, 12, 13].map((value) => Int16Array.of(value));
    const lent = image.at(0, (z) => (z === 2 ? all[z] : undefined), 2);
    expect([...lent]).toEqual([12, 12, BLANK, BLANK]);
    const more = image.at(0, (z) => (z === 3 || z === 0 ? all[z] : undefined), 2);
    expect([...more]).toEqual([13, 12, 10, 10]);
  });
});

const LABEL = { label: 1, colour: "#ff0000" };
const shown = (mask: Mask, more: Partial<LabelMask> = {}): LabelMask => ({ ...LABEL, mask, ...more });
/** The positive voxels of each slice as its mask. */
const masksOf = ({ shape: [, rows, columns], slices }: Volume) =>
  slices.map(
    (slice, z) =>
      [
        z,
        [
          shown(
            fromPixels(
              [...slice].map((value) => Number(value > 0)),
              rows,
              columns,
            ),
          ),
        ],
      ] as const,
  );

describe("the masks of a plane", () => {
  it("have every voxel that the slices' masks have, and no other", () => {
    fc.assert(
      fc.property(scenes, ({ volume, plane, point }) => {
        const [found] = new PlaneMasks(plane, [1]).at(plane.cutAt(point), masksOf(volume));
        const pixels = found ? toPixels(found.mask) : new Uint8Array(plane.depth * plane.grid.columns);
        const picture = new PlaneImage(plane).at(plane.cutAt(point), (z) => volume.slices[z]);
        expect([...pixels]).toEqual([...picture].map((value) => Number(value > 0)));
      }),
    );
  });

  const plane = new Plane("coronal", [3, 2, 4], SPACING);
  const above = fromPixels([0, 1, 1, 0, 0, 0, 0, 0], 2, 4);
  const slices = [
    [0, [shown(above)]],
    [2, [shown(above, { unconfirmed: true })]],
  ] as const;

  it("are the very same where only other rows of a slice's mask changed", () => {
    const masks = new PlaneMasks(plane, [1]);
    const before = masks.at(0, slices);
    const elsewhere = fromPixels([0, 1, 1, 0, 1, 1, 1, 1], 2, 4);
    expect(masks.at(0, [[0, [shown(elsewhere)]], slices[1]])).toBe(before);
    const here = fromPixels([0, 1, 1, 1, 0, 0, 0, 0], 2, 4);
    expect(masks.at(0, [[0, [shown(here)]], slices[1]])).not.toEqual(before);
    expect(masks.at(1, slices)).toEqual([]);
  });

  it("are drawn in the order of the labels, and dashed in the rows of slices that nobody has confirmed", () => {
    const second = { ...shown(above), label: 2, colour: "#00ff00" };
    const masks = new PlaneMasks(plane, [1, 2]).at(0, [[1, [second]], ...slices]);
    expect(masks.map(({ label, unconfirmed }) => [label, unconfirmed])).toEqual([
      [1, new Set([0])],
      [2, new Set()],
    ]);
  });
});

describe("an outline with dashed rows", () => {
  it("has gaps there and nowhere else", () => {
    const mask = fromPixels(
      Array.from({ length: 12 * 2 }, () => 1),
      2,
      12,
    );
    const lengthAt = (y: number, rows?: ReadonlySet<number>) =>
      [...dashed(outline(mask), rows)]
        .filter(({ y0, y1 }) => y0 === y && y1 === y)
        .reduce((sum, { x0, x1 }) => sum + x1 - x0, 0);
    expect([lengthAt(0), lengthAt(2)]).toEqual([6, 6]);
    expect([lengthAt(0, new Set([0])), lengthAt(2, new Set([0]))]).toEqual([6, 12]);
    expect([lengthAt(0, new Set([1])), lengthAt(2, new Set([1]))]).toEqual([12, 6]);
  });
});

it("a cut beyond the first is found by its row or column", () => {
  const plane = new Plane("sagittal", [3, 4, 5], SPACING);
  expect(plane.toVoxel({ x: 4, y: 1, z: 0 })).toEqual(voxel(1, 2));
  expect(plane.cutAt({ x: 4, y: 1 })).toBe(4);
});
