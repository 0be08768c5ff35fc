import { describe, expect, it } from "vitest";
import { verdict } from "../../src/desk/quality";
import { maskOf, PLACE } from "../session/fakes";
import { newDesk } from "./deskfake";

const estimated = (quality: number, z = PLACE.z) => ({ ...PLACE, z, mask: { ...maskOf(4), quality } });

describe("the model's own estimate", () => {
  it("is a light with three steps, and none for what a person drew or what is empty", () => {
    expect(verdict(estimated(0.9).mask)).toBe("good");
    expect(verdict(estimated(0.85).mask)).toBe("check");
    expect(verdict(estimated(0.79).mask)).toBe("doubtful");
    expect(verdict(maskOf(4))).toBeUndefined();
    expect(verdict({ ...maskOf(0), quality: 0.2 })).toBeUndefined();
  });

  it("says which slices to look at again, one key apart", async () => {
    const { desk, socket } = await newDesk();
    desk.goToDoubtful();
    expect(desk.announcement.value).toBe("No slice of Spleen is doubtful.");
    for (const [z, quality] of [
      [3, 0.5],
      [5, 0.95],
      [9, 0.7],
      [12, 0.85],
    ] as const)
      socket.answer(estimated(quality, z));
    expect(desk.doubtfulSlices(desk.label.value)).toEqual([3, 9]);
    desk.goToDoubtful();
    expect(desk.z.value).toBe(9);
    desk.goToDoubtful();
    expect(desk.z.value).toBe(3);
  });
});
