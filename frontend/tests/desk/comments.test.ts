import { describe, expect, it, vi } from "vitest";
import { type Comment, type CommentApi, Comments } from "../../src/desk/comments";
import { Notices } from "../../src/session/notices";
import { voxel } from "../../src/viewer/geometry";
import { FakeTimers } from "../session/fakes";
import { newDesk } from "./deskfake";

const comment = (id: number, given: Partial<Comment> = {}): Comment => ({
  id,
  person: "rob",
  text: "The dome is missing.",
  z: 3,
  y: 2,
  x: 1,
  label: 1,
  at: "2026-11-28T09:00:00+00:00",
  resolved: null,
  ...given,
});
const DONE = { person: "maria", at: "2026-11-28T10:00:00+00:00" };

function newComments(listed: readonly Comment[], api: Partial<CommentApi> = {}) {
  const notices = new Notices(new FakeTimers());
  const whole: CommentApi = {
    load: async () => listed,
    add: async (made) => comment(9, made),
    resolve: async (id, resolved) => comment(id, { resolved: resolved ? DONE : null }),
    ...api,
  };
  return { comments: new Comments(whole, notices), notices };
}

describe("comments", () => {
  it("are listed with numbers that stay, and pinned on their slices", async () => {
    const { comments } = newComments([comment(4, { resolved: DONE }), comment(7), comment(8, { y: null, x: null })]);
    await comments.load();
    expect(comments.open.value.map((one) => comments.numberOf(one))).toEqual([2, 3]);
    expect(comments.slices.value).toEqual([3]);
    expect(comments.pinsOn(3)).toEqual([{ x: 1, y: 2, text: "2", isChosen: false, isResolved: false }]);
    comments.chosen.value = 4;
    expect(comments.pinsOn(3).map(({ text, isChosen, isResolved }) => [text, isChosen, isResolved])).toEqual([
      ["1", true, true],
      ["2", false, false],
    ]);
    expect(comments.pinsOn(2)).toEqual([]);
  });

  it("are written at a pin and sent", async () => {
    const add = vi.fn(async (made) => comment(9, made));
    const { comments } = newComments([], { add });
    comments.begin(5, 1, voxel(3, 4));
    expect(comments.pinsOn(5)).toMatchObject([{ x: 3, y: 4, text: "?" }]);
    await comments.send("  ");
    expect(add).not.toHaveBeenCalled();
    await comments.send("Here");
    expect(add).toHaveBeenCalledExactlyOnceWith({ z: 5, y: 4, x: 3, label: 1, text: "Here" });
    expect(comments.draft.value).toBeUndefined();
    expect(comments.list.value).toHaveLength(1);
  });

  it("stay in the form when the server refuses them", async () => {
    const { comments, notices } = newComments([], { add: () => Promise.reject(new Error("This case is accepted.")) });
    comments.begin(5, 1);
    await comments.send("Here");
    expect(comments.draft.value).toMatchObject({ z: 5, y: null, x: null });
    expect(notices.list.value.map(({ text }) => text)).toEqual(["This case is accepted."]);
  });

  it("are resolved and opened again in their place", async () => {
    const { comments } = newComments([comment(4), comment(7)]);
    await comments.load();
    await comments.resolve(comment(4), true);
    expect(comments.open.value.map(({ id }) => id)).toEqual([7]);
    await comments.resolve(comment(4), false);
    expect(comments.open.value.map(({ id }) => id)).toEqual([4, 7]);
  });
});

describe("a desk with comments", () => {
  async function commented(state: "returned" | "in_progress") {
    const { desk } = await newDesk();
    vi.stubGlobal("fetch", async () => Response.json({ comments: [comment(4, { resolved: DONE }), comment(7)] }));
    desk.progress.now.value = { ...desk.progress.now.value, state };
    await desk.openAtComment();
    return desk;
  }

  it("opens a case that came back at the first open one", async () => {
    const desk = await commented("returned");
    expect([desk.z.value, desk.comments.chosen.value]).toEqual([3, 7]);
    expect(desk.cut.value).toMatchObject({ x: 1, y: 2 });
  });

  it("opens any other case where it always does", async () => {
    const desk = await commented("in_progress");
    expect([desk.z.value, desk.comments.chosen.value]).toEqual([5, undefined]);
    desk.goToNextComment();
    expect(desk.z.value).toBe(3);
  });

  it("pins one at the crosshair, or waits for a press that Escape calls off", async () => {
    const { desk } = await newDesk();
    desk.startComment();
    expect(desk.comments.isPlacing.value).toBe(true);
    desk.escape();
    expect(desk.comments.isPlacing.value).toBe(false);
    desk.crosshair.value = voxel(2, 3);
    desk.startComment();
    expect(desk.comments.draft.value).toEqual({ z: 5, y: 3, x: 2, label: 1 });
  });
});
