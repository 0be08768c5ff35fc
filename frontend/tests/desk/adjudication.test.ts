import { describe, expect, it } from "vitest";
import type { Reading } from "../../src/desk/adjudication";
import { commandNamed } from "../../src/desk/keys";
import { difference, dice, intersection, union } from "../../src/paint/combine";
import { area, fromPixels, type Mask, maskFromText, maskToText, toPixels } from "../../src/protocol/mask";
import type { Viewer } from "../../src/viewer/viewer";
import { maskOf, PLACE, SHAPE } from "../session/fakes";
import { newDesk } from "./deskfake";

const [spleen, liver] = [1, 2];
const reading = (person: string, ...masks: [number, number, Mask][]): Reading => ({
  person,
  masks: masks.map(([label, z, mask]) => [label, z, maskToText(mask)]),
});
/** They agree on slice 4 of the spleen and differ on 5, 6 and, worst, 7; of the liver on 5. */
const READINGS = [
  reading("alice", [spleen, 4, maskOf(8)], [spleen, 5, maskOf(8)], [spleen, 6, maskOf(8)], [liver, 5, maskOf(2)]),
  reading("bob", [spleen, 4, maskOf(8)], [spleen, 5, maskOf(6)], [spleen, 6, maskOf(2)], [spleen, 7, maskOf(5)]),
] as const;

async function newAdjudication() {
  const made = await newDesk({}, READINGS);
  const { adjudication } = made.desk;
  if (!adjudication) throw new Error("no adjudication");
  const press = (id: string) => commandNamed(id).run(made.desk, {} as Viewer);
  return { ...made, adjudication, press };
}

describe("an adjudication", () => {
  it("lists the slices that differ, the worst first", async () => {
    const { adjudication } = await newAdjudication();
    expect(adjudication.people).toEqual(["alice", "bob"]);
    expect(adjudication.of(spleen)).toEqual([
      { z: 7, dice: 0 },
      { z: 6, dice: 0.4 },
      { z: 5, dice: 12 / 14 },
    ]);
    expect(adjudication.undecided.value.size).toBe(4);
  });

  it.each([
    ["take-first", "first", 8],
    ["take-second", "second", 6],
    ["take-union", "union", 8],
    ["take-intersection", "intersection", 6],
  ])("%s paints what it says", async (command, tool, pixels) => {
    const { desk, socket, press, adjudication } = await newAdjudication();
    press(command);
    const [sent] = socket.of("paint");
    if (!sent) throw new Error("nothing was painted");
    expect([sent.tool, sent.label, sent.z, area(maskFromText(sent.mask))]).toEqual([tool, spleen, 5, pixels]);
    expect(adjudication.isUndecided(PLACE)).toBe(false);
    expect(desk.maskHere.value && area(desk.maskHere.value)).toBe(pixels);
  });

  it("takes that there is no mask as a decision, too", async () => {
    const { desk, press, adjudication } = await newAdjudication();
    desk.goTo(7);
    press("take-first");
    expect(adjudication.undecidedOf(spleen)).toEqual([6, 5]);
  });

  it("decides the rest of a label at once, and leaves what is decided", async () => {
    const { desk, press, adjudication } = await newAdjudication();
    press("take-second");
    press("rest-first");
    expect(adjudication.undecidedOf(spleen)).toEqual([]);
    expect(adjudication.undecidedOf(liver)).toEqual([5]);
    expect(desk.maskHere.value && area(desk.maskHere.value)).toBe(6);
  });

  it("goes from the worst to the next, then to another label", async () => {
    const { desk, press } = await newAdjudication();
    const places: number[][] = [];
    for (let i = 0; i < 4; i++) {
      desk.goTo(0);
      press("next-undecided");
      places.push([desk.label.value.id, desk.z.value]);
      press("take-second");
      desk.lookAtSlice();
    }
    expect(places).toEqual([
      [spleen, 7],
      [spleen, 6],
      [spleen, 5],
      [liver, 5],
    ]);
    press("next-undecided");
    expect(desk.announcement.value).toBe("Every difference between the readings is decided.");
  });

  it("draws both outlines and what only one has", async () => {
    const { adjudication } = await newAdjudication();
    const guides = adjudication.guidesAt(PLACE);
    expect(guides.map(({ style, mask }) => [style, area(mask)])).toEqual([
      ["fill", 2],
      ["line", 8],
      ["dashes", 6],
    ]);
    expect(adjudication.guidesAt(PLACE)).toBe(guides);
  });

  it("takes nothing into a locked label", async () => {
    const { desk, socket, press } = await newAdjudication();
    socket.say({ type: "locks", labels: [{ label: spleen }] });
    press("take-first");
    press("rest-first");
    expect(socket.of("paint")).toEqual([]);
    expect(desk.session.notices.list.value.length).toBeGreaterThan(0);
  });
});

it("keys of readings do nothing on any other case", async () => {
  const { desk, socket } = await newDesk();
  for (const id of ["take-first", "rest-second", "next-undecided"]) commandNamed(id).run(desk, {} as Viewer);
  expect(socket.of("paint")).toEqual([]);
});

describe("two masks", () => {
  const random = (seed: number) => {
    let n = seed;
    const pixels = Uint8Array.from({ length: SHAPE[1] * SHAPE[2] }, () => {
      n = (n * 16807) % 2147483647;
      return n % 3 ? 0 : 1;
    });
    return fromPixels(pixels, SHAPE[1], SHAPE[2]);
  };

  it.each([1, 2, 3, 4, 5])("are put together voxel by voxel (%i)", (seed) => {
    const [a, b] = [random(seed), random(seed + 100)];
    const [first, second] = [toPixels(a), toPixels(b)];
    expect(toPixels(union(a, b))).toEqual(first.map((v, i) => v | (second[i] as number)));
    expect(toPixels(intersection(a, b))).toEqual(first.map((v, i) => v & (second[i] as number)));
    expect(toPixels(difference(a, b))).toEqual(first.map((v, i) => v ^ (second[i] as number)));
    expect(dice(a, b)).toBeCloseTo((2 * area(intersection(a, b))) / (area(a) + area(b)), 12);
  });

  it("that are empty agree", () => {
    expect(dice(maskOf(0), maskOf(0))).toBe(1);
    expect(dice(maskOf(0), maskOf(3))).toBe(0);
  });
});
