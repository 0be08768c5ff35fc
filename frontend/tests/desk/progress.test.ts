import { describe, expect, it, vi } from "vitest";
import { Progress, type ProgressApi, type Standing } from "../../src/desk/progress";
import { voxel } from "../../src/viewer/geometry";
import { ASSIGNMENT, newDesk } from "./deskfake";

const REFUSAL = "This case is submitted; its masks stay as they are.";
const OPEN: Standing = {
  state: "in_progress",
  refusal: null,
  moves: ["submit", "skip"],
  revisable: false,
  reason: null,
};
const DONE: Standing = { ...OPEN, state: "submitted", refusal: REFUSAL, moves: ["take_back"] };
const IN_REVIEW: Standing = { ...DONE, moves: ["accept", "return"], revisable: true };

async function started(api: Partial<ProgressApi>, standing = OPEN, kind: "reading" | "revision" = "reading") {
  const { desk, socket } = await newDesk();
  const go = vi.fn();
  const never = () => Promise.reject(new Error("Nobody asked for this."));
  const whole = { move: never, load: never, revise: never, ...api };
  const progress = new Progress({ ...ASSIGNMENT, progress: standing, kind }, desk.session, whole, go);
  return { desk, socket, progress, go };
}

const said = (desk: Awaited<ReturnType<typeof started>>["desk"]) =>
  desk.session.notices.list.value.map(({ text }) => text);

describe("a case", () => {
  it("is moved on by the server, whose words say why it cannot be changed", async () => {
    const move = vi.fn(async () => DONE);
    const { progress, go } = await started({ move });
    progress.finish();
    expect(progress.isMoving.value).toBe(true);
    await vi.waitFor(() => expect(progress.now.value).toBe(DONE));
    expect(move).toHaveBeenCalledExactlyOnceWith("submit", "");
    expect(progress.refusal).toBe(REFUSAL);
    expect(go).not.toHaveBeenCalled();
  });

  it("is skipped with a reason, or not at all", async () => {
    const move = vi.fn(async () => DONE);
    const { progress } = await started({ move });
    progress.request("skip");
    expect(progress.asking.value).toBe("skip");
    progress.answer(undefined);
    expect(progress.asking.value).toBeUndefined();
    expect(move).not.toHaveBeenCalled();
    progress.request("skip");
    progress.answer("too noisy");
    expect(move).toHaveBeenCalledExactlyOnceWith("skip", "too noisy");
  });

  it("stays where it is when the server refuses, and says why", async () => {
    const move = () => Promise.reject(new Error("The case is accepted."));
    const { desk, progress } = await started({ move });
    progress.request("submit");
    await vi.waitFor(() => expect(said(desk)).toEqual(["The case is accepted."]));
    expect(progress.now.value).toBe(OPEN);
    expect(progress.isMoving.value).toBe(false);
  });

  it("does not move while work is on its way", async () => {
    const move = vi.fn(async () => DONE);
    const { desk, progress } = await started({ move });
    desk.press(voxel(1, 1), undefined, false);
    desk.session.release();
    progress.request("submit");
    expect(move).not.toHaveBeenCalled();
    expect(said(desk)).toEqual(["Not everything is saved yet. Try again in a moment."]);
  });

  it("makes no move that is not offered", async () => {
    const move = vi.fn(async () => DONE);
    const { progress } = await started({ move });
    progress.request("accept");
    expect(move).not.toHaveBeenCalled();
  });

  it("that was moved elsewhere is seen as it stands", async () => {
    const { progress } = await started({ load: async () => DONE });
    await progress.reload();
    expect(progress.now.value).toBe(DONE);
  });
});

describe("a review", () => {
  it("leads on to the next case once it is accepted or returned", async () => {
    const { progress, go } = await started({ move: async () => DONE }, IN_REVIEW);
    progress.finish();
    await vi.waitFor(() => expect(go).toHaveBeenCalledExactlyOnceWith("/review/next"));
    progress.now.value = IN_REVIEW;
    progress.request("return");
    progress.answer("");
    await vi.waitFor(() => expect(go).toHaveBeenCalledTimes(2));
  });

  it("edits in a copy of its own, and is done when that is submitted", async () => {
    const { progress, go } = await started({ revise: async () => "/cases/17/" }, IN_REVIEW);
    await progress.revise();
    expect(go).toHaveBeenCalledExactlyOnceWith("/cases/17/");
    const copy = await started({ move: async () => DONE }, OPEN, "revision");
    copy.progress.finish();
    await vi.waitFor(() => expect(copy.go).toHaveBeenCalledExactlyOnceWith("/review/next"));
  });
});

describe("a submitted case", () => {
  it("takes no click, no stroke, no undo and no step of the history", async () => {
    const { desk, socket } = await newDesk({ can_undo: true });
    desk.progress.now.value = DONE;
    desk.press(voxel(1, 1), undefined, false);
    desk.chooseTool("brush");
    desk.beginStroke({ x: 1, y: 1 } as never, false);
    desk.edit("clear");
    desk.undo();
    desk.goToStep(undefined);
    desk.toggleLock(desk.label.value);
    expect(desk.session.held.value).toBeUndefined();
    expect(desk.painting.stroke.value).toBeUndefined();
    expect(socket.of("paint")).toEqual([]);
    expect(socket.of("undo")).toEqual([]);
    expect(socket.of("lock")).toEqual([]);
    expect(said(desk)).toEqual([REFUSAL]);
  });
});
