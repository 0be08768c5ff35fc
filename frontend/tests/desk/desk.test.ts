import { effect } from "@preact/signals-core";
import { describe, expect, it, vi } from "vitest";
import { voxel } from "../../src/viewer/geometry";
import { maskOf, PLACE } from "../session/fakes";
import { ASSIGNMENT, newDesk } from "./deskfake";

const [spleen, liver] = ASSIGNMENT.labels;
const CLICKS = {
  last_sequence: 1,
  clicks: [{ ...PLACE, base: 0, since: 1, unconfirmed: false, clicks: [{ id: 1, y: 3, x: 4, positive: true }] }],
};

describe("slices", () => {
  it("stay within the volume", async () => {
    const { desk } = await newDesk();
    desk.goTo(99);
    expect(desk.z.value).toBe(19);
    desk.goTo(-1);
    expect(desk.z.value).toBe(0);
  });

  it("do not change under a click that is held", async () => {
    const { desk } = await newDesk();
    desk.press(voxel(1, 1), undefined, false);
    desk.goTo(7);
    desk.selectLabel(liver);
    expect(desk.place.value).toEqual(PLACE);
  });

  it("cannot be clicked before they are there", async () => {
    const { desk } = await newDesk();
    desk.goTo(15);
    desk.press(voxel(1, 1), undefined, false);
    expect(desk.session.held.value).toBeUndefined();
  });

  it("that fail to load say so, and can be tried again", async () => {
    const { desk } = await newDesk();
    vi.stubGlobal("fetch", async () => new Response(null, { status: 503 }));
    desk.goTo(15);
    desk.lookAtSlice();
    await vi.waitFor(() => expect(desk.sliceFailed.value).toBe(true));
    vi.stubGlobal("fetch", async () => new Response(new Int16Array(64).buffer));
    desk.retrySlice();
    await vi.waitFor(() => expect(desk.slice.value).toBeDefined());
    expect(desk.sliceFailed.value).toBe(false);
  });

  it("with a mask are one step apart", async () => {
    const { desk, socket } = await newDesk();
    for (const z of [2, 9, 12]) socket.answer({ z, mask: maskOf(4) });
    socket.answer({ z: 11, mask: maskOf(0) });
    expect(desk.slicesWithMask(desk.label.value)).toEqual([2, 9, 12]);
    desk.goToMask(1);
    expect(desk.z.value).toBe(9);
    desk.goToMask(-1);
    expect(desk.z.value).toBe(2);
    desk.goToMask(-1);
    expect(desk.z.value).toBe(2);
    expect(desk.announcement.value).toBe("No further slice with Spleen.");
  });
});

describe("labels", () => {
  it("that are chosen are shown", async () => {
    const { desk, socket } = await newDesk();
    socket.answer({ label: 2, mask: maskOf(4) });
    expect(desk.masks.value.map(({ label }) => label)).toEqual([2]);
    if (liver) desk.setVisible(liver, false);
    expect(desk.masks.value).toEqual([]);
    desk.selectLabel(liver);
    expect(desk.masks.value.map(({ label }) => label)).toEqual([2]);
  });

  it("and slice follow an undo that lies elsewhere", async () => {
    const { desk } = await newDesk();
    desk.jumpTo({ label: 2, z: 11 });
    expect(desk.place.value).toEqual({ label: 2, z: 11 });
    expect(desk.announcement.value).toContain("slice 12, Liver");
    desk.announcement.value = "";
    desk.jumpTo({ label: 2, z: 11 });
    expect(desk.announcement.value).toBe("");
    expect(spleen).toBeDefined();
  });
});

describe("masks", () => {
  it("are drawn again only when one of this slice is another", async () => {
    const { desk, socket } = await newDesk();
    socket.answer({ ...PLACE, mask: maskOf(3) });
    const drawn: number[] = [];
    const stop = effect(() => void drawn.push(desk.masks.value.length));
    desk.press(voxel(1, 1), undefined, false);
    desk.session.drag(2, 1); // the pointer moves on; no answer yet
    socket.answer({ label: PLACE.label, z: PLACE.z + 1, number: 2, mask: maskOf(4) });
    expect(drawn).toEqual([1]);
    socket.answer({ ...PLACE, kind: "preview", number: 1, mask: maskOf(5) });
    expect(drawn).toEqual([1, 1]);
    stop();
  });
});

describe("deleting", () => {
  it("takes the click under the pointer before the selected one", async () => {
    const { desk, socket } = await newDesk(CLICKS);
    desk.deleteClick();
    desk.selected.value = 7;
    desk.hovered.value = 1;
    desk.deleteClick();
    expect(socket.of("delete_click")).toEqual([{ type: "delete_click", sequence: 2, click: 1 }]);
  });
});

describe("the crosshair", () => {
  it("clicks without a mouse", async () => {
    const { desk, socket } = await newDesk();
    desk.clickAtCrosshair(false);
    desk.toggleCrosshair();
    desk.moveCrosshair(-1, 2);
    expect(desk.announcement.value).toBe("column 3, row 6, 50 HU");
    desk.clickAtCrosshair(false);
    expect(socket.of("add_click")).toEqual([{ type: "add_click", sequence: 1, ...PLACE, y: 6, x: 3, positive: true }]);
  });

  it("stays inside the image", async () => {
    const { desk } = await newDesk();
    desk.toggleCrosshair();
    desk.moveCrosshair(99, -99);
    expect(desk.crosshair.value).toEqual(voxel(7, 0));
  });

  it("picks a click up, drags it and puts it down as one move", async () => {
    const { desk, socket } = await newDesk(CLICKS);
    desk.toggleCrosshair();
    desk.moveCrosshair(0, -1);
    desk.clickAtCrosshair(false);
    desk.moveCrosshair(1, 0);
    desk.moveCrosshair(1, 0);
    desk.clickAtCrosshair(false);
    expect(socket.of("move_click")).toEqual([{ type: "move_click", sequence: 2, click: 1, y: 3, x: 6 }]);
    expect(socket.of("add_click")).toEqual([]);
  });

  it("is left innermost first", async () => {
    const { desk } = await newDesk(CLICKS);
    desk.toggleCrosshair();
    desk.moveCrosshair(0, -1);
    desk.clickAtCrosshair(false);
    desk.escape();
    expect(desk.session.held.value).toBeUndefined();
    expect(desk.crosshair.value).toBeDefined();
    desk.escape();
    expect(desk.crosshair.value).toBeUndefined();
  });
});

describe("a peek", () => {
  it("asks for the mask of a click under the pointer and places nothing", async () => {
    const { desk, socket } = await newDesk();
    desk.pointed.value = voxel(3, 4);
    desk.startPeek();
    expect(desk.session.held.value).toMatchObject({ click: undefined, x: 3, y: 4, positive: true });
    desk.peek(voxel(5, 4));
    expect(desk.session.held.value).toMatchObject({ x: 5, y: 4 });
    const asked = socket.sent.find(({ type }) => type === "preview");
    expect(asked).toMatchObject({ ...PLACE, clicks: [{ y: 4, x: 3, positive: true }] });
    desk.endPeek();
    expect(desk.session.held.value).toBeUndefined();
    expect(desk.clicks.value).toEqual([]);
    expect(desk.session.waiting.value).toEqual([]);
  });

  it("is of what a click would place", async () => {
    const { desk } = await newDesk();
    desk.placesBackground.value = true;
    desk.pointed.value = voxel(3, 4);
    desk.startPeek();
    expect(desk.session.held.value?.positive).toBe(false);
  });

  it("waits for a pointer, and leaves with it", async () => {
    const { desk } = await newDesk();
    desk.startPeek();
    expect(desk.session.held.value).toBeUndefined();
    desk.peek(voxel(1, 1));
    expect(desk.session.held.value).toBeDefined();
    desk.peek(undefined);
    expect(desk.session.held.value).toBeUndefined();
  });

  it("gives way to a real press, which outlives the key", async () => {
    const { desk } = await newDesk();
    desk.pointed.value = voxel(3, 4);
    desk.startPeek();
    desk.withdrawPeek();
    desk.press(voxel(3, 4), undefined, true);
    desk.peek(voxel(6, 6));
    desk.endPeek();
    expect(desk.session.held.value).toMatchObject({ x: 3, y: 4, positive: false });
    desk.session.release();
    expect(desk.clicks.value).toHaveLength(1);
  });

  it("does not begin while a click is held", async () => {
    const { desk } = await newDesk();
    desk.press(voxel(1, 1), undefined, false);
    desk.startPeek();
    desk.endPeek();
    expect(desk.session.held.value).toMatchObject({ x: 1, y: 1 });
  });
});
