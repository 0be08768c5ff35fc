import { describe, expect, it } from "vitest";
import { imagePoint, lengthMm } from "../../src/viewer/geometry";
import { newDesk } from "./deskfake";

describe("the ruler", () => {
  it("measures in the patient, whatever the voxels are", () => {
    const grid = { columns: 9, rows: 9, columnMm: 3, rowMm: 0.5 };
    expect(lengthMm(grid, imagePoint(1, 1), imagePoint(2, 9))).toBe(5);
  });

  it("lies in its slice and is taken away by Escape, or by a press without a drag", async () => {
    const { desk } = await newDesk();
    const measure = () => {
      desk.startRuler(imagePoint(1, 1));
      desk.stretchRuler(imagePoint(4, 5));
      desk.endRuler();
    };
    measure();
    expect(desk.announcement.value).toBe("4.0 millimetres");
    desk.escape();
    expect(desk.ruler.value).toBeUndefined();
    measure();
    desk.startRuler(imagePoint(1, 1));
    desk.endRuler();
    expect(desk.ruler.value).toBeUndefined();
    measure();
    desk.goTo(7);
    expect(desk.ruler.value).toBeUndefined();
  });
});
