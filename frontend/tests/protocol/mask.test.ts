import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  area,
  decodeMask,
  emptyMask,
  encodeMask,
  fromIntervals,
  fromPixels,
  intervals,
  toPixels,
} from "../../src/protocol/mask";
import { decodeMaskFrame, encodeMaskFrame, splitMaskFrames } from "../../src/protocol/maskframe";
import { bytes, names, text } from "./golden";

const KIND = ["stored", "preview", "saved"];

describe.each(names(".bin"))("golden binary frame %s", (name) => {
  const frame = decodeMaskFrame(bytes(`${name}.bin`));
  const says = JSON.parse(text(`${name}.json`));

  it("has the header that Python wrote", () => {
    expect(KIND.indexOf(frame.kind)).toBe(says.kind);
    expect(frame).toMatchObject({
      z: says.z,
      number: says.number,
      label: says.label,
      modelVersion: says.model_version,
    });
    expect([frame.networkMs, frame.totalMs]).toEqual([says.network_ms, says.total_ms]);
    expect(frame.mask.quality ?? -1).toBe(says.quality);
  });

  it("has the mask that Python wrote", () => {
    const { mask } = frame;
    expect([mask.y0, mask.x0, mask.boxHeight, mask.boxWidth]).toEqual(says.box);
    expect([mask.height, mask.width]).toEqual([says.height, says.width]);
    expect(mask.runs).toEqual(says.runs);
    expect(area(mask)).toBe(says.foreground);
    expect(toPixels(mask).reduce((sum, pixel) => sum + pixel, 0)).toBe(says.foreground);
  });

  it("is the same bytes when written here", () => {
    expect(encodeMaskFrame(frame)).toEqual(bytes(`${name}.bin`));
    const drawnAgain = fromPixels(toPixels(frame.mask), frame.mask.height, frame.mask.width);
    const { quality } = frame.mask;
    expect(
      encodeMaskFrame({ ...frame, mask: quality === undefined ? drawnAgain : { ...drawnAgain, quality } }),
    ).toEqual(bytes(`${name}.bin`));
  });
});

const anyMask = fc.tuple(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 24 })).chain(([height, width]) =>
  fc.record({
    height: fc.constant(height),
    width: fc.constant(width),
    pixels: fc.array(fc.integer({ min: 0, max: 1 }), { minLength: height * width, maxLength: height * width }),
  }),
);

describe("mask codec", () => {
  it("gives back every mask pixel by pixel", () => {
    fc.assert(
      fc.property(anyMask, ({ height, width, pixels }) => {
        const mask = decodeMask(encodeMask(fromPixels(pixels, height, width)));
        expect([...toPixels(mask)]).toEqual(pixels);
        expect(area(mask)).toBe(pixels.filter(Boolean).length);
      }),
    );
  });

  it("cuts runs into intervals that never leave their row", () => {
    fc.assert(
      fc.property(anyMask, ({ height, width, pixels }) => {
        for (const { y, start, end } of intervals(fromPixels(pixels, height, width))) {
          expect(y).toBeLessThan(height);
          expect(start).toBeLessThan(end);
          expect(end).toBeLessThanOrEqual(width);
          for (let x = start; x < end; x++) expect(pixels[y * width + x]).toBe(1);
        }
      }),
    );
  });

  it("makes the same mask of its intervals", () => {
    fc.assert(
      fc.property(anyMask, ({ height, width, pixels }) => {
        const mask = fromPixels(pixels, height, width);
        expect(fromIntervals(intervals(mask), height, width)).toEqual(mask);
      }),
    );
  });

  it("carries runs longer than 32 bits of varint", () => {
    const mask = {
      height: 65535,
      width: 65535,
      y0: 0,
      x0: 0,
      boxHeight: 65535,
      boxWidth: 65535,
      runs: [1, 65535 ** 2 - 1],
    };
    expect(decodeMask(encodeMask(mask))).toEqual(mask);
  });

  it.each([
    ["shorter than its header", new Uint8Array(11)],
    [
      "a box outside the slice",
      encodeMask({ ...emptyMask(4, 4), y0: 1, x0: 0, boxHeight: 4, boxWidth: 1, runs: [0, 4] }),
    ],
    ["runs that do not fill the box", encodeMask({ ...emptyMask(4, 4), boxHeight: 2, boxWidth: 2, runs: [0, 3] })],
    ["a run cut short", Uint8Array.from([...encodeMask(emptyMask(4, 4)), 0x80])],
    ["a run without an end", Uint8Array.from([...encodeMask(emptyMask(4, 4)), 0x80, 0x80, 0x80, 0x80, 0x80, 0])],
  ])("refuses %s", (_, data) => {
    expect(() => decodeMask(data)).toThrow();
  });
});

describe("list of saved masks", () => {
  const withLength = (frame: Uint8Array) => [...new Uint8Array(new Uint32Array([frame.length]).buffer), ...frame];
  const list = Uint8Array.from(names(".bin").flatMap((name) => withLength(bytes(`${name}.bin`))));

  it("is split into its frames", () => {
    expect([...splitMaskFrames(list)].map(encodeMaskFrame)).toEqual(names(".bin").map((name) => bytes(`${name}.bin`)));
    expect([...splitMaskFrames(new Uint8Array())]).toEqual([]);
  });

  it("is refused when cut short", () => {
    expect(() => [...splitMaskFrames(list.subarray(0, list.length - 1))]).toThrow();
    expect(() => [...splitMaskFrames(Uint8Array.from([...list, 1]))]).toThrow();
  });
});
