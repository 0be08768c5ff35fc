import { afterEach, describe, expect, it, vi } from "vitest";
import { Simulated, simulatedUrl } from "../../src/desk/simulated";
import { maskToText } from "../../src/protocol/mask";
import { maskOf } from "../session/fakes";
import { newDesk } from "./deskfake";

const SLICE = {
  z: 6,
  label: 2,
  guides: [{ mask: maskToText(maskOf(8)), colour: "#56b4e9", style: "dashes" as const }],
};

function answer(status: number): void {
  vi.stubGlobal("fetch", vi.fn().mockResolvedValue(new Response(JSON.stringify(SLICE), { status })));
}

describe("a slice of an evaluation", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("is named by the address", () => {
    expect(simulatedUrl("#evaluation=3&place=0")).toBe("/models/evaluations/3/slices/0.json");
    for (const hash of ["", "#z=3", "#evaluation=3", "#evaluation=../3&place=0"]) {
      expect(simulatedUrl(hash)).toBeUndefined();
    }
  });

  it("is gone to, and drawn there alone, whatever is outlined there", async () => {
    const { desk } = await newDesk();
    const simulated = new Simulated();
    answer(200);
    await simulated.open("#evaluation=3&place=0", desk);
    expect([desk.z.value, desk.label.value.id]).toEqual([6, 2]);
    expect(simulated.guidesAt({ z: 6, label: 2 })).toEqual([{ mask: maskOf(8), colour: "#56b4e9", style: "dashes" }]);
    expect(simulated.guidesAt({ z: 5, label: 2 })).toEqual([]);
    expect(simulated.guidesAt({ z: 6, label: 1 })).toEqual([]);
    expect(desk.announcement.value).toContain("Slice 7");
  });

  it("that is gone is said to be", async () => {
    const { desk } = await newDesk();
    answer(404);
    await new Simulated().open("#evaluation=3&place=0", desk);
    expect(desk.announcement.value).toBe("What the simulated person did here is not there any more.");
  });

  it("of a label that is gone is drawn with the chosen one", async () => {
    const { desk } = await newDesk();
    const simulated = new Simulated();
    simulated.show({ ...SLICE, label: null }, desk);
    expect(simulated.guidesAt({ z: 6, label: desk.label.value.id })).toHaveLength(1);
  });
});
