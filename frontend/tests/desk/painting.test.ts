import { describe, expect, it } from "vitest";
import { area, maskFromText, toPixels } from "../../src/protocol/mask";
import { imagePoint, voxel } from "../../src/viewer/geometry";
import { maskOf, PLACE, refusal, storedOf } from "../session/fakes";
import { newDesk } from "./deskfake";

type Made = Awaited<ReturnType<typeof newDesk>>;

const painted = ({ desk }: Made) =>
  [...toPixels(desk.session.masks.at(PLACE) ?? maskOf(0)).entries()].flatMap(([at, v]) => (v ? [at] : []));
const sent = ({ socket }: Made) => socket.of("paint");

function stroke({ desk }: Made, way: readonly (readonly [number, number])[], inverted = false): void {
  const [first, ...others] = way.map(([x, y]) => imagePoint(x, y));
  if (first) desk.beginStroke(first, inverted);
  for (const at of others) desk.painting.extend(at);
}

describe("a stroke", () => {
  it("is on screen while it is drawn, and one interaction when it ends", async () => {
    const made = await newDesk();
    made.desk.chooseTool("brush");
    made.desk.preferences.brushMm.value = 0.5;
    stroke(made, [
      [1.5, 2.5],
      [4.5, 2.5],
    ]);
    expect(painted(made)).toEqual([17, 18, 19, 20]);
    expect(sent(made)).toEqual([]);
    made.desk.painting.end();
    expect(sent(made)).toHaveLength(1);
    expect(sent(made)[0]).toMatchObject({ ...PLACE, tool: "brush", sequence: 1 });
    expect(area(maskFromText(sent(made)[0]?.mask ?? ""))).toBe(4);
  });

  it("of the eraser, or of the brush turned round, takes away", async () => {
    for (const [tool, inverted] of [
      ["eraser", false],
      ["brush", true],
    ] as const) {
      const made = await newDesk();
      made.socket.answer({ z: PLACE.z, mask: maskOf(4) });
      made.desk.chooseTool(tool);
      made.desk.preferences.brushMm.value = 0.3;
      const before = painted(made);
      stroke(made, [[((before[0] ?? 0) % 8) + 0.5, Math.floor((before[0] ?? 0) / 8) + 0.5]], inverted);
      made.desk.painting.end();
      expect(painted(made)).toEqual(before.slice(1));
    }
  });

  it("of the brush for a range keeps to the grey values of the slice", async () => {
    const made = await newDesk();
    made.desk.chooseTool("threshold");
    made.desk.preferences.range.value = { low: 51, high: 100 };
    stroke(made, [[3.5, 3.5]]);
    made.desk.painting.end();
    expect(sent(made)).toEqual([]);
    made.desk.preferences.range.value = { low: 50, high: 50 };
    stroke(made, [[3.5, 3.5]]);
    made.desk.painting.end();
    expect(sent(made)).toHaveLength(1);
  });

  it("of the lasso fills what it goes around, when it ends", async () => {
    const made = await newDesk();
    made.desk.chooseTool("lasso");
    stroke(made, [
      [1, 1],
      [4, 1],
      [4, 3],
      [1, 3],
    ]);
    expect(painted(made)).toEqual([]);
    expect(made.desk.painting.way.value).toHaveLength(5);
    made.desk.painting.end();
    expect(painted(made)).toEqual([9, 10, 11, 17, 18, 19]);
    expect(made.desk.painting.way.value).toEqual([]);
  });

  it("can be given up, and then nothing has happened", async () => {
    for (const giveUp of [(made: Made) => made.desk.escape(), (made: Made) => made.desk.undo()]) {
      const made = await newDesk();
      made.desk.chooseTool("brush");
      stroke(made, [[1.5, 2.5]]);
      expect(painted(made)).not.toEqual([]);
      giveUp(made);
      expect(painted(made)).toEqual([]);
      made.desk.painting.end();
      expect(made.socket.sent.map(({ type }) => type)).toEqual(["hello"]);
    }
  });

  it("stays on the slice and the label that it began on", async () => {
    const made = await newDesk();
    made.desk.chooseTool("brush");
    stroke(made, [[1.5, 2.5]]);
    made.desk.goTo(PLACE.z + 1);
    made.desk.selectLabel(made.desk.assignment.labels[1]);
    expect(made.desk.place.value).toEqual(PLACE);
  });

  it("that changes nothing is not stored", async () => {
    const made = await newDesk();
    made.desk.chooseTool("eraser");
    stroke(made, [[1.5, 2.5]]);
    made.desk.painting.end();
    expect(sent(made)).toEqual([]);
  });

  it("lets clicks begin anew from what it left", async () => {
    const made = await newDesk();
    made.desk.press(voxel(1, 1), undefined, false);
    made.desk.session.release();
    made.socket.say(storedOf());
    made.desk.chooseTool("brush");
    stroke(made, [[1.5, 2.5]]);
    made.desk.painting.end();
    expect(made.desk.clicks.value).toEqual([]);
    made.socket.say(refusal("read_only", 2));
    expect(made.desk.clicks.value).toHaveLength(1);
  });
});

describe("the brush", () => {
  it("has steps of its own, and ends", async () => {
    const { desk } = await newDesk();
    desk.preferences.brushMm.value = 2.5;
    desk.painting.widen(1);
    expect(desk.preferences.brushMm.value).toBe(3);
    for (let i = 0; i < 20; i++) desk.painting.widen(-1);
    expect(desk.preferences.brushMm.value).toBe(0.5);
  });

  it("is seen only where it paints", async () => {
    const { desk } = await newDesk();
    desk.pointedAt.value = imagePoint(2, 2);
    expect(desk.brush.value).toBeUndefined();
    desk.chooseTool("eraser");
    expect(desk.brush.value).toMatchObject({ radiusMm: 1, erases: true });
    desk.chooseTool("lasso");
    expect(desk.brush.value).toBeUndefined();
  });
});

describe("a whole mask", () => {
  it("grows, is cleared, and says where nothing changes", async () => {
    const made = await newDesk();
    made.desk.edit("grow");
    expect(made.desk.announcement.value).toBe("This changes nothing here.");
    made.socket.answer({ z: PLACE.z, mask: maskOf(1) });
    made.desk.edit("grow");
    expect(painted(made).length).toBeGreaterThan(1);
    made.desk.edit("clear");
    expect(painted(made)).toEqual([]);
    expect(sent(made).map(({ tool }) => tool)).toEqual(["grow"]); // the second waits for the first
  });

  it("is copied from the slice beside it", async () => {
    const made = await newDesk();
    made.desk.copyFrom(1);
    expect(made.desk.announcement.value).toBe("The slice above has no mask of Spleen.");
    made.socket.answer({ z: PLACE.z - 1, mask: maskOf(5) });
    made.desk.copyFrom(-1);
    expect(painted(made)).toHaveLength(5);
    expect(sent(made)[0]).toMatchObject({ ...PLACE, tool: "copy" });
  });
});
