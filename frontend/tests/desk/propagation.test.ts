import { describe, expect, it, vi } from "vitest";
import { maskFromText } from "../../src/protocol/mask";
import { voxel } from "../../src/viewer/geometry";
import { maskOf, PLACE, refusal, storedOf } from "../session/fakes";
import { newDesk } from "./deskfake";

type Made = Awaited<ReturnType<typeof newDesk>>;
const sentTo = ({ socket }: Made) => socket.of("propagate").map(({ z, source }) => [z, source]);

/** The server's answer: the next slice has a mask of its own now. */
function reached({ socket }: Made, sequence: number, z: number): void {
  socket.say(storedOf({ sequence, kind: "propagate", z, base: sequence, unconfirmed: true, clicks: [] }));
  socket.answer({ ...PLACE, z, number: sequence, mask: maskOf(3) });
  socket.say({ type: "saved", sequence, label: PLACE.label, z });
}

const started = async () => {
  const made = await newDesk();
  made.socket.answer({ ...PLACE, mask: maskOf(4) });
  return made;
};

describe("propagation", () => {
  it("goes slice by slice, then the other way, and ends where the structure does", async () => {
    const made = await started();
    const done = made.desk.propagate([1, -1]);
    expect(sentTo(made)).toEqual([[6, 5]]);
    expect(made.desk.propagation.progress.value).toEqual({ direction: 1, slices: 0 });
    reached(made, 1, 6);
    await vi.waitFor(() => expect(sentTo(made)).toHaveLength(2));
    made.socket.say(refusal("ended", 2));
    await vi.waitFor(() => expect(sentTo(made)).toHaveLength(3));
    made.socket.say(refusal("ended", 2));
    await done;
    expect(sentTo(made)).toEqual([
      [6, 5],
      [7, 6],
      [4, 5],
    ]);
    expect(made.desk.propagation.progress.value).toBeUndefined();
    expect(made.desk.announcement.value).toBe("1 slice was reached.");
    expect(made.desk.session.notices.list.value).toEqual([]);
    expect(made.desk.unconfirmedSlices(made.desk.label.value)).toEqual([6]);
  });

  it("does not enter a slice that a person made", async () => {
    const made = await started();
    made.socket.answer({ ...PLACE, z: 6, mask: maskOf(2) });
    await made.desk.propagate([1]);
    expect(sentTo(made)).toEqual([]);
  });

  it("is stopped by Escape, after the slice that is on its way", async () => {
    const made = await started();
    const done = made.desk.propagate([1, -1]);
    made.desk.escape();
    reached(made, 1, 6);
    await done;
    expect(sentTo(made)).toHaveLength(1);
  });

  it("needs a mask to go on from", async () => {
    const made = await newDesk();
    await made.desk.propagate([1]);
    expect(sentTo(made)).toEqual([]);
    expect(made.desk.session.notices.list.value[0]?.text).toBe("This slice has no mask of Spleen to go on from.");
  });

  it("leaves slices that are accepted one by one", async () => {
    const made = await started();
    const done = made.desk.propagate([1]);
    reached(made, 1, 6);
    await vi.waitFor(() => expect(sentTo(made)).toHaveLength(2));
    reached(made, 2, 7);
    await vi.waitFor(() => expect(sentTo(made)).toHaveLength(3));
    made.socket.say(refusal("ended", 3));
    await done;
    made.desk.goTo(6);
    await vi.waitFor(() => expect(made.desk.z.value).toBe(6));
    made.desk.accept();
    const [accepted] = made.socket.of("paint");
    expect(accepted).toMatchObject({ z: 6, tool: "accept", sequence: 3 });
    expect(maskFromText(accepted?.mask ?? "").runs).toEqual(maskOf(3).runs);
    expect(made.desk.z.value).toBe(7);
    expect(made.desk.unconfirmedSlices(made.desk.label.value)).toEqual([7]);
  });

  it("of a correction goes to unconfirmed slices only, and only where it is believed in more", async () => {
    const made = await started();
    const done = made.desk.propagate([1]);
    reached(made, 1, 6);
    await vi.waitFor(() => expect(sentTo(made)).toHaveLength(2));
    made.socket.say(refusal("ended", 2));
    await done;
    const flow = made.desk.propagation.flow(PLACE);
    expect(made.socket.of("propagate").at(-1)).toMatchObject({ z: 6, source: 5, better: true });
    made.socket.say(refusal("ended", 2));
    expect(await flow).toBe(0);
    expect(sentTo(made)).toHaveLength(3); // slice 4 has no mask: nothing flows there
  });

  it("is drawn towards a confirmed slice ahead, and fills every slice before it", async () => {
    const made = await started();
    made.socket.answer({ ...PLACE, z: 8, mask: maskOf(2) });
    made.desk.goTo(6);
    const done = made.desk.fillBetween();
    expect(made.socket.of("propagate").at(-1)).toMatchObject({ z: 6, source: 5, ahead: 8, better: false });
    reached(made, 1, 6);
    await vi.waitFor(() => expect(sentTo(made)).toHaveLength(2));
    reached(made, 2, 7);
    await done;
    expect(sentTo(made)).toEqual([
      [6, 5],
      [7, 6],
    ]);
    expect(made.desk.announcement.value).toBe("2 slices were reached.");
    const flow = made.desk.propagation.flow(PLACE);
    expect(made.socket.of("propagate").at(-1)).toMatchObject({ z: 6, source: 5, ahead: 8, better: false });
    made.socket.say(refusal("ended", 3));
    expect(await flow).toBe(0);
  });

  it("fills from a confirmed slice to those beside it that are confirmed too", async () => {
    const made = await started();
    made.socket.answer({ ...PLACE, z: 3, mask: maskOf(2) });
    const done = made.desk.fillBetween();
    reached(made, 1, 4);
    await done;
    expect(sentTo(made)).toEqual([[4, 5]]);
  });

  it("says that there is nothing to fill in between", async () => {
    const made = await started();
    await made.desk.fillBetween();
    made.desk.goTo(7);
    await made.desk.fillBetween();
    expect(sentTo(made)).toEqual([]);
    const said = made.desk.session.notices.list.value.map(({ text }) => text);
    expect(new Set(said)).toEqual(new Set(["There are no two confirmed slices of Spleen to fill in between."]));
  });

  it("ends where a slice is cleared, on the side that no confirmed slice holds", async () => {
    const made = await started();
    const done = made.desk.propagate([1, -1]);
    for (const [sequence, z] of [6, 7, 8].entries()) {
      reached(made, sequence + 1, z);
      await vi.waitFor(() => expect(sentTo(made)).toHaveLength(sequence + 2));
    }
    made.socket.say(refusal("ended", 4));
    await vi.waitFor(() => expect(sentTo(made)).toHaveLength(5));
    made.socket.say(refusal("ended", 4));
    await done;
    made.desk.goTo(7);
    made.desk.edit("clear");
    await made.desk.propagation.flow({ ...PLACE, z: 7 });
    expect(made.socket.of("paint").map(({ z, tool }) => [z, tool])).toEqual([[7, "clear"]]);
    expect(made.desk.unconfirmedSlices(made.desk.label.value)).toEqual([6]);
  });

  it("follows a click, but no acceptance", async () => {
    const made = await newDesk();
    made.desk.press(voxel(1, 1), undefined, false);
    made.desk.session.release();
    made.socket.say(storedOf());
    expect(made.desk.session.worked.value).toMatchObject(PLACE);
    made.desk.session.worked.value = undefined;
    made.desk.session.paint(PLACE, "accept", maskOf(2));
    made.socket.say(storedOf({ sequence: 2, kind: "paint", base: 2, clicks: [] }));
    expect(made.desk.session.worked.value).toBeUndefined();
  });
});
