import { describe, expect, it } from "vitest";
import { maskFromText } from "../../src/protocol/mask";
import type { ServerMessage } from "../../src/protocol/messages";
import { HELD_ID } from "../../src/session/clicks";
import { changedOf, Desk, MemoryMirror, maskOf, PLACE, refusal, storedOf, welcomeOf } from "./fakes";

const shown = (desk: Desk, place = PLACE) => desk.session.masks.at(place)?.runs[1];
const onScreen = (desk: Desk, place = PLACE) => desk.session.clicksOnScreen(place).map(({ y, x }) => [y, x]);
const press = (desk: Desk, y: number, x: number) =>
  desk.session.hold({ ...PLACE, click: undefined, y, x, positive: true });
const BLANK = { ...PLACE, base: 0, since: 0, unconfirmed: false, clicks: [] };
const click = (id: number, y = id, x = id) => ({ id, y, x, positive: true });

describe("a click", () => {
  it("is drawn at once, sent once, and replaced by what the server stored", () => {
    const desk = new Desk();
    const socket = desk.connect({ last_sequence: 6 });
    desk.click(2, 3);
    expect(onScreen(desk)).toEqual([[2, 3]]);
    expect(socket.of("add_click")).toEqual([{ type: "add_click", sequence: 7, ...PLACE, y: 2, x: 3, positive: true }]);
    socket.say(storedOf({ sequence: 7, clicks: [click(3), click(7, 2, 3)] }));
    expect(onScreen(desk)).toEqual([
      [3, 3],
      [2, 3],
    ]);
    expect(desk.session.waiting.value).toEqual([]);
  });

  it("is saving until the mask that it led to is saved", () => {
    const desk = new Desk();
    const socket = desk.connect();
    expect(desk.session.saving.value).toBe("saved");
    desk.click(2, 3);
    expect(desk.session.saving.value).toBe("saving");
    socket.say(storedOf());
    expect(desk.session.saving.value).toBe("saving");
    socket.say({ type: "saved", sequence: 1, ...PLACE });
    expect(desk.session.saving.value).toBe("saved");
  });

  it("is not saved until the newest of its place is", () => {
    const desk = new Desk();
    const socket = desk.connect();
    desk.click(1, 1);
    socket.say(storedOf());
    desk.click(2, 2);
    socket.say(storedOf({ sequence: 2, clicks: [click(1), click(2)] }));
    socket.say({ type: "saved", sequence: 1, ...PLACE });
    expect(desk.session.saving.value).toBe("saving");
    socket.say({ type: "saved", sequence: 2, ...PLACE });
    expect(desk.session.saving.value).toBe("saved");
  });

  it("goes out only when the one before it is stored", () => {
    const desk = new Desk();
    const socket = desk.connect();
    desk.click(1, 1);
    desk.click(2, 2);
    expect(socket.of("add_click")).toHaveLength(1);
    expect(onScreen(desk)).toEqual([
      [1, 1],
      [2, 2],
    ]);
    socket.say(storedOf());
    expect(socket.of("add_click").map((message) => message.sequence)).toEqual([1, 2]);
  });

  it("that is refused disappears with whatever depends on it, and says why", () => {
    const desk = new Desk();
    const socket = desk.connect();
    desk.click(1, 1);
    desk.session.deleteClick(1);
    desk.click(4, 4);
    socket.say(refusal("outside", 1));
    expect(onScreen(desk)).toEqual([[4, 4]]);
    expect(desk.session.notices.list.value.map((notice) => notice.text)).toEqual(["No: outside."]);
    expect(socket.of("delete_click")).toEqual([]);
    expect(socket.of("add_click").at(-1)).toMatchObject({ sequence: 1, y: 4 });
  });

  it("that is refused takes its mask with it", () => {
    const desk = new Desk();
    const socket = desk.connect();
    socket.answer({ number: 0, mask: maskOf(3) });
    press(desk, 2, 2);
    socket.answer({ kind: "preview", number: 1, mask: maskOf(9) });
    desk.session.release();
    expect(shown(desk)).toBe(9);
    socket.say(refusal("read_only", 1));
    expect(shown(desk)).toBe(3);
  });
});

describe("a painted mask", () => {
  it("is on screen at once, and clicks begin anew", () => {
    const desk = new Desk();
    const socket = desk.connect({
      clicks: [{ ...PLACE, base: 0, since: 1, unconfirmed: false, clicks: [click(1)] }],
      last_sequence: 1,
    });
    desk.session.paint(PLACE, "brush", maskOf(3));
    expect(shown(desk)).toBe(3);
    expect(onScreen(desk)).toEqual([]);
    const [sent] = socket.of("paint");
    expect(sent).toMatchObject({ sequence: 2, ...PLACE, tool: "brush" });
    expect(maskFromText(sent?.mask ?? "")).toEqual(maskOf(3));
    expect(desk.session.saving.value).toBe("saving");
  });

  it("is what the next click goes on from", () => {
    const desk = new Desk();
    const socket = desk.connect();
    desk.session.paint(PLACE, "brush", maskOf(3));
    press(desk, 1, 1);
    expect(socket.of("preview")).toEqual([]); // the server does not know the mask yet
    socket.say(storedOf({ kind: "paint", base: 1, clicks: [] }));
    desk.session.drag(2, 2);
    expect(socket.of("preview")).toMatchObject([{ base: 1, clicks: [{ y: 2, x: 2 }] }]);
  });

  it("that is refused gives back what was there", () => {
    const desk = new Desk();
    const socket = desk.connect({
      clicks: [{ ...PLACE, base: 0, since: 1, unconfirmed: false, clicks: [click(1)] }],
      last_sequence: 1,
    });
    desk.session.paint(PLACE, "brush", maskOf(3));
    socket.say(refusal("read_only", 2));
    expect(shown(desk)).toBeUndefined();
    expect(onScreen(desk)).toEqual([[1, 1]]);
  });

  it("comes back with undo on every slice that it concerns", () => {
    const desk = new Desk();
    const socket = desk.connect({ last_sequence: 3, can_undo: true });
    desk.session.undo();
    const slices = [10, 11].map((z) => ({ label: 1, z, base: 0, since: 1, unconfirmed: false, clicks: [click(z)] }));
    socket.say(storedOf({ sequence: 4, kind: "undo", slices }));
    expect(onScreen(desk, { label: 1, z: 10 })).toEqual([[10, 10]]);
    expect(onScreen(desk, { label: 1, z: 11 })).toEqual([[11, 11]]);
    expect(desk.session.jump.value).toEqual({ label: 1, z: 10 });
  });
});

describe("a press", () => {
  it("asks for a preview with the tentative click, and shows it", () => {
    const desk = new Desk();
    const socket = desk.connect({
      clicks: [{ ...PLACE, base: 0, since: 1, unconfirmed: false, clicks: [click(1)] }],
      last_sequence: 1,
    });
    press(desk, 2, 3);
    expect(desk.session.clicksOnScreen(PLACE).at(-1)?.id).toBe(HELD_ID);
    const clicks = [
      { y: 1, x: 1, positive: true },
      { y: 2, x: 3, positive: true },
    ];
    expect(socket.of("preview")).toEqual([{ type: "preview", request: 1, ...PLACE, base: 0, clicks }]);
    desk.timers.pass(30);
    socket.answer({ kind: "preview", number: 1, mask: maskOf(5) });
    expect(shown(desk)).toBe(5);
    expect(desk.session.timing.lastAnswer.value).toMatchObject({ kind: "preview", number: 1, roundTripMs: 30 });
  });

  it("dragged is previews, and one interaction where it ends", () => {
    const desk = new Desk();
    const socket = desk.connect();
    press(desk, 1, 1);
    for (let x = 2; x < 8; x++) desk.session.drag(1, x);
    desk.session.release();
    const stored = socket.sent.filter((message) => "sequence" in message);
    expect(stored).toEqual([{ type: "add_click", sequence: 1, ...PLACE, y: 1, x: 7, positive: true }]);
  });

  it("on a click drags it, and stores one move", () => {
    const desk = new Desk();
    const socket = desk.connect({
      clicks: [{ ...PLACE, base: 0, since: 1, unconfirmed: false, clicks: [click(4)] }],
      last_sequence: 4,
    });
    desk.session.hold({ ...PLACE, click: 4, y: 4, x: 4, positive: true });
    expect(socket.of("preview")).toEqual([]);
    desk.session.drag(5, 6);
    expect(onScreen(desk)).toEqual([[5, 6]]);
    desk.session.release();
    expect(socket.of("move_click")).toEqual([{ type: "move_click", sequence: 5, click: 4, y: 5, x: 6 }]);
  });

  it("on a click that stays where it is stores nothing", () => {
    const desk = new Desk();
    const socket = desk.connect({ clicks: [{ ...PLACE, base: 0, since: 1, unconfirmed: false, clicks: [click(4)] }] });
    desk.session.hold({ ...PLACE, click: 4, y: 4, x: 4, positive: true });
    desk.session.drag(5, 5);
    desk.session.drag(4, 4);
    desk.session.release();
    expect(socket.of("move_click")).toEqual([]);
  });

  it("that is cancelled leaves clicks and mask as they were", () => {
    const desk = new Desk();
    const socket = desk.connect();
    socket.answer({ number: 0, mask: maskOf(3) });
    press(desk, 1, 1);
    socket.answer({ kind: "preview", number: 1, mask: maskOf(7) });
    desk.session.drag(2, 2);
    desk.session.cancelHold();
    socket.answer({ kind: "preview", number: 2, mask: maskOf(8) });
    expect(shown(desk)).toBe(3);
    expect(onScreen(desk)).toEqual([]);
    expect(socket.sent.filter((message) => "sequence" in message)).toEqual([]);
  });

  it("keeps one preview on its way and only the newest waiting", () => {
    const desk = new Desk();
    const socket = desk.connect();
    press(desk, 1, 1);
    for (let x = 2; x < 7; x++) desk.session.drag(1, x);
    expect(socket.of("preview")).toHaveLength(1);
    socket.answer({ kind: "preview", number: 1 });
    expect(socket.of("preview")).toHaveLength(2);
    expect(socket.of("preview")[1]?.clicks).toEqual([{ y: 1, x: 6, positive: true }]);
  });

  it("goes on when a preview is never answered", () => {
    const desk = new Desk();
    const socket = desk.connect();
    press(desk, 1, 1);
    desk.session.drag(1, 2);
    desk.timers.pass(5000);
    expect(socket.of("preview")).toHaveLength(2);
  });

  it("counts the masks per second of a drag", () => {
    const desk = new Desk();
    const socket = desk.connect();
    press(desk, 1, 0);
    for (let request = 1; request < 8; request++) {
      desk.session.drag(1, request);
      desk.timers.pass(50);
      socket.answer({ kind: "preview", number: request });
    }
    expect(desk.session.timing.rate.value).toBeCloseTo(20);
  });
});

describe("an answer that is stale", () => {
  it("does not replace the preview of a newer press", () => {
    const desk = new Desk();
    const socket = desk.connect();
    desk.click(1, 1);
    socket.say(storedOf());
    press(desk, 2, 2);
    socket.answer({ kind: "preview", number: 1, mask: maskOf(1) });
    socket.answer({ kind: "preview", number: 2, mask: maskOf(2) });
    socket.answer({ number: 1, mask: maskOf(11) });
    expect(shown(desk)).toBe(2);
    desk.session.cancelHold();
    expect(shown(desk)).toBe(11);
  });

  it("about a longer list is not shown after an undo", () => {
    const desk = new Desk();
    const socket = desk.connect();
    desk.click(1, 1);
    socket.say(storedOf());
    socket.answer({ number: 1, mask: maskOf(4) });
    desk.click(2, 2);
    socket.say(storedOf({ sequence: 2, clicks: [click(1), click(2)] }));
    desk.session.undo();
    socket.say(storedOf({ sequence: 3, kind: "undo" }));
    socket.answer({ number: 2, mask: maskOf(9) });
    expect(shown(desk)).toBe(4);
    socket.answer({ number: 3, mask: maskOf(5) });
    expect(shown(desk)).toBe(5);
  });

  it("of a preview goes with the click that is undone", () => {
    const desk = new Desk();
    const socket = desk.connect();
    socket.answer({ number: 0, mask: maskOf(3) });
    press(desk, 2, 2);
    socket.answer({ kind: "preview", number: 1, mask: maskOf(9) });
    desk.session.release();
    socket.say(storedOf());
    desk.session.undo();
    socket.say(storedOf({ sequence: 2, kind: "undo", clicks: [] }));
    expect(shown(desk)).toBe(3);
  });

  it("does not come before a newer answer", () => {
    const desk = new Desk();
    const socket = desk.connect();
    socket.answer({ number: 8, mask: maskOf(8) });
    socket.answer({ number: 7, mask: maskOf(7) });
    expect(shown(desk)).toBe(8);
  });

  it("to a preview of the released position is shown, of another position not", () => {
    const desk = new Desk();
    const socket = desk.connect();
    press(desk, 1, 1);
    desk.session.release();
    socket.answer({ kind: "preview", number: 1, mask: maskOf(6) });
    expect(shown(desk)).toBe(6);
    press(desk, 3, 3);
    desk.session.drag(3, 4);
    desk.session.release();
    socket.answer({ kind: "preview", number: 2, mask: maskOf(7) });
    expect(shown(desk)).toBe(6);
  });

  it("is dropped when it names another slice or label than the question", () => {
    const desk = new Desk();
    const socket = desk.connect();
    press(desk, 1, 1);
    socket.answer({ kind: "preview", number: 1, z: 6, mask: maskOf(6) });
    expect([shown(desk), shown(desk, { label: 1, z: 6 })]).toEqual([undefined, undefined]);
    desk.session.release();
    socket.say(storedOf());
    socket.answer({ number: 1, label: 2, mask: maskOf(6) });
    expect(shown(desk, { label: 2, z: 5 })).toBeUndefined();
  });

  it("is refused when it does not fit the series", () => {
    const desk = new Desk();
    const socket = desk.connect();
    socket.answer({ number: 1, z: 20 });
    socket.answer({ number: 1, label: 9 });
    expect(desk.session.masks.shown.value.size).toBe(0);
    expect(desk.session.notices.list.value).toHaveLength(1);
  });
});

describe("undo and redo", () => {
  it("are ordered behind what is not stored yet, and wait for the server", () => {
    const desk = new Desk();
    const socket = desk.connect();
    desk.click(1, 1);
    desk.session.undo();
    expect(socket.sent.map((message) => message.type)).not.toContain("undo");
    expect(onScreen(desk)).toEqual([[1, 1]]);
    socket.say(storedOf());
    expect(socket.of("undo")).toEqual([{ type: "undo", sequence: 2, steps: 1 }]);
    expect(onScreen(desk)).toEqual([[1, 1]]);
    socket.say(storedOf({ sequence: 2, kind: "undo", clicks: [], can_undo: false, can_redo: true }));
    expect(onScreen(desk)).toEqual([]);
    expect([desk.session.canUndo.value, desk.session.canRedo.value]).toEqual([false, true]);
  });

  it("tell where they took effect", () => {
    const desk = new Desk();
    const socket = desk.connect({ last_sequence: 3, can_undo: true });
    desk.session.undo();
    expect(desk.session.jump.value).toBeUndefined();
    socket.say(storedOf({ sequence: 4, kind: "undo", label: 2, z: 11, clicks: [] }));
    expect(desk.session.jump.value).toEqual({ label: 2, z: 11 });
  });

  it("are not sent where there is nothing to undo", () => {
    const desk = new Desk();
    const socket = desk.connect();
    desk.session.undo();
    desk.session.redo();
    expect(socket.sent.map((message) => message.type)).toEqual(["hello"]);
  });

  it("take back a press and nothing else while a click is held", () => {
    const desk = new Desk();
    const socket = desk.connect({ last_sequence: 3, can_undo: true });
    press(desk, 1, 1);
    desk.session.undo();
    expect(onScreen(desk)).toEqual([]);
    expect(socket.of("undo")).toEqual([]);
  });
});

describe("a lost connection", () => {
  it("loses nothing: what is unacknowledged is sent again under the same number", () => {
    const desk = new Desk();
    desk.connect().fail();
    expect(desk.session.connection.value).toBe("reconnecting");
    desk.click(1, 1);
    desk.click(2, 2);
    expect(desk.session.saving.value).toBe("unsaved");
    desk.timers.pass(300);
    const socket = desk.connect();
    expect(socket.sent[0]?.type).toBe("hello");
    expect(socket.of("add_click").map((message) => message.sequence)).toEqual([1]);
    socket.say(storedOf());
    socket.say(storedOf({ sequence: 2, clicks: [click(1), click(2)] }));
    expect(desk.session.waiting.value).toEqual([]);
  });

  it("after sending resends that very interaction, stored or not", () => {
    const desk = new Desk();
    desk.connect();
    desk.click(1, 1);
    desk.socket.fail();
    desk.timers.pass(300);
    const socket = desk.connect({
      last_sequence: 1,
      clicks: [{ ...PLACE, base: 0, since: 1, unconfirmed: false, clicks: [click(1)] }],
    });
    expect(onScreen(desk)).toEqual([[1, 1]]);
    expect(socket.of("add_click").map((message) => message.sequence)).toEqual([1]);
  });

  it("keeps the newer list when the answer to a resend is old", () => {
    const desk = new Desk();
    desk.connect();
    desk.click(1, 1);
    desk.socket.fail();
    desk.timers.pass(300);
    const socket = desk.connect({
      last_sequence: 2,
      clicks: [{ ...PLACE, base: 0, since: 1, unconfirmed: false, clicks: [click(1), click(2)] }],
    });
    socket.say(storedOf());
    expect(onScreen(desk)).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  it("is tried again after longer and longer pauses, then called offline", () => {
    const desk = new Desk();
    const pauses = [0, 1, 2, 3, 4, 5, 6, 7].map(() => {
      desk.socket.fail();
      const [before, since] = [desk.sockets.length, desk.timers.now()];
      while (desk.sockets.length === before) desk.timers.pass(1);
      return desk.timers.now() - since;
    });
    expect(pauses).toEqual([188, 375, 750, 1500, 3000, 6000, 7500, 7500]);
    expect(desk.session.connection.value).toBe("offline");
  });

  it("comes back at once when the browser is online again", () => {
    const desk = new Desk();
    for (let i = 0; i < 6; i++) {
      desk.socket.fail();
      desk.timers.pass(10_000);
    }
    desk.socket.fail();
    desk.session.setOnline(false);
    const before = desk.sockets.length;
    desk.session.setOnline(true);
    expect(desk.sockets.length).toBe(before + 1);
  });

  it("is assumed when the server does not acknowledge", () => {
    const desk = new Desk();
    const socket = desk.connect();
    desk.click(1, 1);
    desk.timers.pass(10_000);
    expect(socket.isClosed).toBe(true);
    expect(desk.sockets).toHaveLength(2);
  });

  it("is final when the server says so", () => {
    const desk = new Desk();
    desk.connect().fail(4403);
    desk.timers.pass(60_000);
    expect(desk.sockets).toHaveLength(1);
    expect(desk.session.connection.value).toBe("ended");
  });

  it("leaves the press alone: its release waits like any click", () => {
    const desk = new Desk();
    press(desk, 1, 1);
    desk.session.drag(2, 2);
    desk.session.release();
    expect(desk.socket.sent).toEqual([]);
    expect(desk.connect().of("add_click")).toHaveLength(1);
  });

  it("is followed by a look at the saved masks", async () => {
    const desk = new Desk();
    desk.connect().fail();
    desk.saved = [{ kind: "saved", ...PLACE, number: 4, modelVersion: 1, networkMs: 0, totalMs: 0, mask: maskOf(6) }];
    desk.timers.pass(300);
    desk.connect();
    await Promise.resolve().then(() => {});
    expect(shown(desk)).toBe(6);
  });
});

describe("what another window stored under the same number", () => {
  const theirs = [{ ...BLANK, since: 1, clicks: [click(1, 7, 7)] }];
  const meet = (desk: Desk, last_sequence = 3) => {
    desk.socket.say(refusal("sequence_taken", 1));
    desk.socket.say(welcomeOf({ last_sequence, can_undo: true, clicks: theirs }));
  };

  it("is shown, and nothing is sent until the person has chosen", () => {
    const desk = new Desk();
    const socket = desk.connect();
    press(desk, 1, 1);
    socket.answer({ kind: "preview", number: 1, mask: maskOf(9) });
    desk.session.release();
    meet(desk);
    socket.answer({ number: 1, mask: maskOf(5) });
    expect(socket.of("hello")).toHaveLength(2);
    expect([onScreen(desk), shown(desk)]).toEqual([[[7, 7]], 5]);
    expect(desk.session.conflict.value).toEqual({
      changes: 1,
      places: [PLACE],
      masks: new Map([["1/5", maskOf(9)]]),
      clicks: new Map([["1/5", { ...BLANK, since: 1, clicks: [click(1, 1, 1)] }]]),
    });
    expect(desk.session.refusal).toBe("Choose first what becomes of your changes that wait here.");
    expect(socket.of("add_click")).toHaveLength(1);
  });

  it("is what ours follows on where both are kept, references to clicks included", () => {
    const desk = new Desk();
    const socket = desk.connect();
    desk.click(1, 1);
    desk.session.hold({ ...PLACE, click: 1, y: 1, x: 1, positive: true });
    desk.session.drag(6, 6);
    desk.session.release();
    meet(desk);
    desk.session.keepMine();
    expect(desk.session.conflict.value).toBeUndefined();
    expect(socket.of("add_click").at(-1)).toMatchObject({ sequence: 4, y: 1 });
    socket.say(storedOf({ sequence: 4, clicks: [click(1, 7, 7), click(4, 1, 1)] }));
    expect(socket.of("move_click")).toEqual([{ type: "move_click", sequence: 5, click: 4, y: 6, x: 6 }]);
    expect(onScreen(desk)).toEqual([
      [7, 7],
      [6, 6],
    ]);
  });

  it("stays alone where theirs is taken", () => {
    const desk = new Desk();
    const socket = desk.connect();
    desk.session.paint(PLACE, "brush", maskOf(3));
    meet(desk);
    desk.session.takeTheirs();
    expect(desk.session.waiting.value).toEqual([]);
    expect(desk.session.refusal).toBeUndefined();
    expect(onScreen(desk)).toEqual([[7, 7]]);
    desk.click(2, 2);
    expect(socket.of("add_click")).toMatchObject([{ sequence: 4, y: 2 }]);
  });

  it("is not undone by an undo that was meant for something else", () => {
    const desk = new Desk();
    const socket = desk.connect({ last_sequence: 1, can_undo: true });
    socket.fail();
    desk.session.undo();
    desk.session.paint(PLACE, "brush", maskOf(3));
    desk.session.paint(PLACE, "brush", maskOf(4));
    desk.session.undo(2);
    desk.session.redo(2);
    desk.timers.pass(10_000);
    desk.connect({ last_sequence: 2, can_undo: true });
    expect(desk.session.conflict.value?.changes).toBe(5);
    desk.session.keepMine();
    expect(desk.session.waiting.value.map(({ type, sequence }) => [type, sequence])).toEqual([
      ["paint", 3],
      ["paint", 4],
      ["undo", 5],
      ["redo", 6],
    ]);
  });

  it("is met by what a closed tab left, not by what was clicked before the first word of the server", () => {
    const mirror = new MemoryMirror();
    new Desk(mirror).click(1, 1);
    const next = new Desk(mirror);
    next.connect({ last_sequence: 4 });
    expect(next.session.conflict.value?.changes).toBe(1);
    const fresh = new Desk();
    fresh.click(1, 1);
    expect(fresh.connect({ last_sequence: 4 }).of("add_click")).toMatchObject([{ sequence: 5 }]);
  });
});

describe("the lease", () => {
  const lease = (mine: boolean, person = "maria"): ServerMessage => ({ type: "lease", mine, person, since: "2026" });

  it("is another window's: this one looks on until its person works here", () => {
    const desk = new Desk();
    desk.socket.open();
    desk.socket.say(lease(false));
    desk.socket.say(welcomeOf());
    expect(desk.socket.of("hello")).toMatchObject([{ window: "here" }]);
    expect(desk.session.refusal).toBe("This case is open in another window. Work here to change it in this one.");
    expect(desk.session.wasTaken.value).toBe(false);
    desk.session.workHere();
    expect(desk.socket.of("take_over")).toHaveLength(1);
    desk.socket.say(lease(true));
    expect([desk.session.refusal, desk.session.wasTaken.value]).toEqual([undefined, false]);
    expect(desk.socket.of("hello")).toHaveLength(2); // what did the other window do meanwhile?
  });

  it("that is taken keeps what is not stored yet, and it is sent when the lease is back", () => {
    const desk = new Desk();
    const socket = desk.connect();
    desk.click(1, 1);
    press(desk, 2, 2);
    socket.say(lease(false));
    socket.say(refusal("lease", 1));
    expect(desk.session.wasTaken.value).toBe(true);
    expect(desk.session.held.value).toBeUndefined();
    expect(desk.session.notices.list.value).toEqual([]);
    expect(desk.session.waiting.value).toHaveLength(1);
    socket.say(lease(true));
    socket.say(welcomeOf());
    expect(socket.of("add_click").map(({ sequence }) => sequence)).toEqual([1, 1]);
  });

  it("that is taken is met as a conflict where the other window worked, whoever has it", () => {
    const desk = new Desk();
    const socket = desk.connect();
    desk.click(1, 1);
    socket.say(refusal("lease", 1));
    socket.say(changedOf({ clicks: [click(1, 7, 7)] }));
    expect(desk.session.conflict.value?.changes).toBe(1);
    desk.session.keepMine();
    expect(socket.of("take_over")).toHaveLength(1);
    socket.say(lease(true));
    socket.say(welcomeOf({ last_sequence: 1, clicks: [{ ...BLANK, clicks: [click(1, 7, 7)] }] }));
    expect(socket.of("add_click").at(-1)).toMatchObject({ sequence: 2, y: 1 });
  });

  it("that is taken ends a propagation", async () => {
    const desk = new Desk();
    const socket = desk.connect();
    const outcome = desk.session.propagate({ ...PLACE, z: 6 }, 5, 6, false);
    socket.say(refusal("lease", 1));
    expect(await outcome).toBe("lease");
    expect(desk.session.waiting.value).toEqual([]);
  });
});

describe("what another window does", () => {
  it("is seen here: clicks, masks, and what can be undone", () => {
    const desk = new Desk();
    const socket = desk.connect();
    socket.say(changedOf({ clicks: [click(1, 7, 7)] }));
    socket.answer({ number: 1, mask: maskOf(5) });
    expect(onScreen(desk)).toEqual([[7, 7]]);
    expect(shown(desk)).toBe(5);
    expect([desk.session.canUndo.value, desk.session.logged.value, desk.session.saving.value]).toEqual([
      true,
      1,
      "saved",
    ]);
    desk.click(1, 1);
    expect(socket.of("add_click")).toMatchObject([{ sequence: 2 }]);
  });

  it("moves nobody to another slice", () => {
    const desk = new Desk();
    desk.connect().say(changedOf({ kind: "undo", z: 9, clicks: [] }));
    expect(desk.session.jump.value).toBeUndefined();
  });

  it("is asked for where a message got lost", () => {
    const desk = new Desk();
    const socket = desk.connect();
    socket.say(changedOf({ sequence: 2, clicks: [click(1, 7, 7), click(2, 6, 6)] }));
    expect(socket.of("hello")).toHaveLength(2);
    socket.say(welcomeOf({ last_sequence: 2 }));
    socket.say(changedOf({ sequence: 2, clicks: [] })); // comes late
    expect(socket.of("hello")).toHaveLength(2);
  });
});

describe("the undo of what is refused", () => {
  it("is dropped, for it would take back something else", () => {
    const desk = new Desk();
    desk.click(1, 1);
    desk.click(2, 2, { label: 2, z: 5 });
    desk.session.undo(3);
    const socket = desk.connect({ last_sequence: 4, can_undo: true });
    socket.say(refusal("unknown_label", 5));
    socket.say(storedOf({ sequence: 5, label: 2, clicks: [click(5, 2, 2)] }));
    expect(socket.of("undo")).toMatchObject([{ sequence: 6, steps: 2 }]);
  });

  it("alone is nothing", () => {
    const desk = new Desk();
    desk.click(1, 1);
    desk.session.undo();
    desk.click(3, 3);
    const socket = desk.connect({ last_sequence: 4, can_undo: true });
    socket.say(refusal("unknown_label", 5));
    socket.say(storedOf({ sequence: 5, clicks: [click(5, 3, 3)] }));
    expect([socket.of("undo"), desk.session.waiting.value]).toEqual([[], []]);
  });
});

describe("a closed tab", () => {
  it("leaves its unacknowledged interactions to the next one", () => {
    const mirror = new MemoryMirror();
    const first = new Desk(mirror);
    first.connect();
    first.click(1, 1);
    first.click(2, 2);
    const second = new Desk(mirror);
    expect(onScreen(second)).toEqual([
      [1, 1],
      [2, 2],
    ]);
    const socket = second.connect({
      last_sequence: 1,
      clicks: [{ ...PLACE, base: 0, since: 1, unconfirmed: false, clicks: [click(1)] }],
    });
    expect(socket.of("add_click").map((message) => message.sequence)).toEqual([1]);
    socket.say(storedOf());
    expect(socket.of("add_click").map((message) => message.sequence)).toEqual([1, 2]);
  });
});

describe("inference that is away", () => {
  it("is told, and clicks are stored all the same", () => {
    const desk = new Desk();
    const socket = desk.connect();
    socket.say({ type: "inference", state: "away" });
    desk.click(1, 1);
    expect(desk.session.inference.value).toBe("away");
    expect(socket.of("preview")).toEqual([]);
    expect(socket.of("add_click")).toHaveLength(1);
  });

  it("and a network that failed leave the click stored and the last mask shown", () => {
    const desk = new Desk();
    const socket = desk.connect();
    socket.answer({ number: 0, mask: maskOf(3) });
    desk.click(1, 1);
    socket.say(storedOf());
    socket.say(refusal("inference", 1));
    expect(onScreen(desk)).toEqual([[1, 1]]);
    expect(shown(desk)).toBe(3);
    expect(desk.session.saving.value).toBe("saved");
  });
});

describe("the slice on screen", () => {
  it("is told once scrolling has come to rest, and again after a reconnect", () => {
    const desk = new Desk();
    const socket = desk.connect();
    for (let z = 0; z < 5; z++) desk.session.view({ label: 1, z });
    desk.timers.pass(100);
    expect(socket.of("view")).toEqual([{ type: "view", label: 1, z: 4 }]);
    socket.fail();
    desk.timers.pass(300);
    expect(desk.connect().of("view")).toHaveLength(1);
  });
});

describe("a frame that makes no sense", () => {
  it("is told to the person and stops nothing", () => {
    const desk = new Desk();
    const socket = desk.connect();
    socket.deliver("{");
    socket.deliver(new ArrayBuffer(3));
    desk.click(1, 1);
    expect(socket.of("add_click")).toHaveLength(1);
    expect(desk.session.notices.list.value.length).toBeGreaterThan(0);
  });
});
