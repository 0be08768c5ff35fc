import { describe, expect, it, vi } from "vitest";
import { type MakeMove, Progress, type Standing } from "../../src/desk/progress";
import { voxel } from "../../src/viewer/geometry";
import { newDesk } from "./deskfake";

const OPEN: Standing = { state: "in_progress", editable: true, moves: ["submit", "skip"], reason: null };
const DONE: Standing = { state: "submitted", editable: false, moves: ["take_back"], reason: null };

async function started(make: MakeMove, standing = OPEN) {
  const { desk, socket } = await newDesk();
  return { desk, socket, progress: new Progress(standing, desk.session, make) };
}

const said = (desk: Awaited<ReturnType<typeof started>>["desk"]) =>
  desk.session.notices.list.value.map(({ text }) => text);

describe("a case", () => {
  it("is moved on by the server", async () => {
    const make = vi.fn(async () => DONE);
    const { progress } = await started(make);
    progress.request("submit");
    expect(progress.isMoving.value).toBe(true);
    await vi.waitFor(() => expect(progress.now.value).toBe(DONE));
    expect(make).toHaveBeenCalledExactlyOnceWith("submit", "");
    expect(progress.refusal).toBe("This case is submitted; its masks stay as they are.");
  });

  it("is skipped with a reason only", async () => {
    const make = vi.fn(async () => DONE);
    const { progress } = await started(make);
    progress.request("skip");
    expect(progress.asking.value).toBe("skip");
    progress.answer("  ");
    expect(progress.asking.value).toBeUndefined();
    expect(make).not.toHaveBeenCalled();
    progress.request("skip");
    progress.answer("too noisy");
    expect(make).toHaveBeenCalledExactlyOnceWith("skip", "too noisy");
  });

  it("stays where it is when the server refuses, and says why", async () => {
    const { desk, progress } = await started(() => Promise.reject(new Error("The case is accepted.")));
    progress.request("submit");
    await vi.waitFor(() => expect(said(desk)).toEqual(["The case is accepted."]));
    expect(progress.now.value).toBe(OPEN);
    expect(progress.isMoving.value).toBe(false);
  });

  it("does not move while work is on its way", async () => {
    const make = vi.fn(async () => DONE);
    const { desk, progress } = await started(make);
    desk.press(voxel(1, 1), undefined, false);
    desk.session.release();
    progress.request("submit");
    expect(make).not.toHaveBeenCalled();
    expect(said(desk)).toEqual(["Not everything is saved yet. Try again in a moment."]);
  });

  it("makes no move that is not offered", async () => {
    const make = vi.fn(async () => DONE);
    const { progress } = await started(make);
    progress.request("accept");
    expect(make).not.toHaveBeenCalled();
  });

  it("that is not this person's is only looked at", async () => {
    const { progress } = await started(async () => DONE, { ...OPEN, editable: false, moves: [] });
    expect(progress.refusal).toBe("You can look at this case, but only its annotator can change it.");
  });
});

describe("a submitted case", () => {
  it("takes no click, no stroke and no undo", async () => {
    const { desk, socket } = await newDesk({ can_undo: true });
    desk.progress.now.value = DONE;
    desk.press(voxel(1, 1), undefined, false);
    desk.chooseTool("brush");
    desk.beginStroke({ x: 1, y: 1 } as never, false);
    desk.edit("clear");
    desk.undo();
    expect(desk.session.held.value).toBeUndefined();
    expect(desk.painting.stroke.value).toBeUndefined();
    expect(socket.of("paint")).toEqual([]);
    expect(socket.of("undo")).toEqual([]);
    expect(said(desk)).toEqual([DONE_SENTENCE]);
  });
});

const DONE_SENTENCE = "This case is submitted; its masks stay as they are.";
