import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { visibleMasks } from "../../src/desk/overlap";
import { area, fromPixels, toPixels } from "../../src/protocol/mask";
import { imagePoint, voxel } from "../../src/viewer/geometry";
import { maskOf, PLACE, storedOf } from "../session/fakes";
import { ASSIGNMENT, newDesk } from "./deskfake";

const ROWS = 5;
const COLUMNS = 6;
const masks = fc
  .array(fc.integer({ min: 0, max: 1 }), { minLength: ROWS * COLUMNS, maxLength: ROWS * COLUMNS })
  .map((pixels) => fromPixels(pixels, ROWS, COLUMNS));
const [spleen, liver] = ASSIGNMENT.labels;
const LIVER = { ...PLACE, label: liver?.id ?? 0 };

describe("voxels that several masks claim", () => {
  it("belong to the newest, or to all", () => {
    fc.assert(
      fc.property(fc.array(masks, { minLength: 1, maxLength: 4 }), fc.infiniteStream(fc.integer()), (given, ages) => {
        const claims = given.map((mask, label) => ({ label, mask, since: (ages.next().value as number) * 8 + label }));
        const newest = visibleMasks(claims, "newest");
        for (let at = 0; at < ROWS * COLUMNS; at++) {
          const claiming = claims.filter(({ mask }) => toPixels(mask)[at]).sort((a, b) => b.since - a.since);
          const having = [...newest].filter(([, mask]) => toPixels(mask)[at]).map(([label]) => label);
          expect(having).toEqual(claiming.slice(0, 1).map(({ label }) => label));
        }
        expect([...visibleMasks(claims, "allowed").values()]).toEqual(given);
      }),
    );
  });

  it("are all that a mask loses: one that shares none stays the very mask it is", () => {
    const diagonals = [fromPixels([1, 0, 0, 1], 2, 2), fromPixels([0, 1, 1, 0], 2, 2)]; // in the same box
    const claims = diagonals.map((mask, label) => ({ label, mask, since: label }));
    const [falling, rising] = visibleMasks(claims, "newest").values();
    expect(falling).toBe(diagonals[0]);
    expect(rising).toBe(diagonals[1]);
  });

  it("are given back when the newer mask is undone", async () => {
    const { desk, socket } = await newDesk();
    socket.answer({ z: PLACE.z, mask: maskOf(6) });
    socket.say(storedOf({ label: LIVER.label, sequence: 1, since: 1 }));
    socket.answer({ ...LIVER, number: 1, mask: maskOf(4) });
    const areas = () => desk.masks.value.map(({ label, mask }) => [label, area(mask)]);
    expect(areas()).toEqual([
      [1, 2],
      [2, 4],
    ]);
    socket.say(storedOf({ label: LIVER.label, sequence: 2, kind: "undo", since: 0, clicks: [] }));
    socket.answer({ ...LIVER, number: 2, mask: maskOf(0) });
    expect(areas()).toEqual([[1, 6]]);
  });
});

describe("a locked label", () => {
  const locked = async (id: number | undefined) => {
    const made = await newDesk();
    made.socket.say({ type: "locks", labels: [{ label: id ?? 0 }] });
    return made;
  };

  it("is not changed, and says why", async () => {
    const { desk, socket } = await locked(spleen?.id);
    desk.press(voxel(1, 1), undefined, false);
    desk.edit("clear");
    desk.copyFrom(1);
    desk.chooseTool("brush");
    desk.beginStroke(imagePoint(2, 2), false);
    expect(desk.session.held.value).toBeUndefined();
    expect(desk.painting.stroke.value).toBeUndefined();
    expect(socket.sent.map(({ type }) => type)).toEqual(["hello"]);
    expect(desk.session.notices.list.value.map(({ text }) => text)).toContain(
      "Spleen is locked. Unlock it to change its masks.",
    );
  });

  it("is not painted over", async () => {
    const { desk, socket } = await locked(liver?.id);
    socket.answer({ ...LIVER, mask: maskOf(4) });
    desk.chooseTool("brush");
    desk.preferences.brushMm.value = 30;
    desk.beginStroke(imagePoint(2, 2), false);
    desk.painting.end();
    const [first, second] = desk.masks.value.map(({ mask }) => area(mask));
    expect(second).toBe(4);
    expect(first).toBe(64 - 4);
  });

  it("is locked and unlocked in every window by the server's word", async () => {
    const { desk, socket } = await newDesk();
    desk.toggleLock(desk.label.value);
    expect(socket.of("lock")).toEqual([{ type: "lock", label: 1, locked: true }]);
    expect(desk.session.locked.value.size).toBe(0);
    socket.say({ type: "locks", labels: [{ label: 1 }] });
    desk.toggleLock(desk.label.value);
    expect(socket.of("lock")[1]).toEqual({ type: "lock", label: 1, locked: false });
  });
});
