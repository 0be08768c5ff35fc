// @vitest-environment happy-dom
import { batch, signal } from "@preact/signals-core";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { COMMANDS } from "../../src/desk/commands";
import type { Desk } from "../../src/desk/desk";
import { connectPanes, effectAfterPaint, listenToPaneKeys, type Pane, paneActions } from "../../src/desk/panes";
import { rememberedPreferences } from "../../src/desk/preferences";
import { fromPixels } from "../../src/protocol/mask";
import { canvasPoint, voxel } from "../../src/viewer/geometry";
import type { ViewState } from "../../src/viewer/layers";
import type { Viewer } from "../../src/viewer/viewer";
import { PLACE, SHAPE } from "../session/fakes";
import { newDesk } from "./deskfake";

/** A viewer on which one CSS pixel is one voxel, and that takes note of what it is to show. */
function newPane(desk: Desk, index: 0 | 1) {
  const host = document.createElement("div");
  const shown: Partial<ViewState> = {};
  const viewer = {
    host,
    nearestVoxel: ({ x, y }: { x: number; y: number }) => voxel(x, y),
    set: (patch: Partial<ViewState>) => Object.assign(shown, patch),
    draw: () => {},
    zoom: vi.fn(),
  };
  const pane = { plane: desk.planes[index], viewer: viewer as unknown as Viewer } as Pane;
  return { pane, shown, viewer, actions: paneActions(desk, pane) };
}

let made: Awaited<ReturnType<typeof newDesk>>;
let desk: Desk;
let [coronal, sagittal]: ReturnType<typeof newPane>[] = [];

beforeEach(async () => {
  made = await newDesk();
  desk = made.desk;
  [coronal, sagittal] = [newPane(desk, 0), newPane(desk, 1)];
  desk.goToPoint({ x: 3, y: 4, z: 5 });
});
const { depth, rows, columns } = { depth: SHAPE[0], rows: SHAPE[1], columns: SHAPE[2] };
const press = (pane: ReturnType<typeof newPane> | undefined, x: number, y: number) =>
  pane?.actions.press(canvasPoint(x, y), false);

describe("a press in a plane", () => {
  it("goes there: in the coronal one to a slice and a column, in the sagittal one to a slice and a row", () => {
    press(coronal, 6, 2);
    expect(desk.point.value).toEqual({ x: 6, y: 4, z: depth - 3 });
    press(sagittal, 1, depth - 1);
    expect(desk.point.value).toEqual({ x: 6, y: 1, z: 0 });
  });

  it("places nothing", () => {
    press(coronal, 6, 2);
    coronal?.actions.release();
    expect(desk.session.held.value).toBeUndefined();
    expect(desk.session.waiting.value).toEqual([]);
  });

  it("takes the keyboard crosshair along where it is on", () => {
    desk.toggleCrosshair();
    press(coronal, 6, 2);
    expect(desk.crosshair.value).toEqual(voxel(6, 4));
  });

  it("does not turn the slice away under a click that is held", () => {
    desk.press(voxel(1, 1), undefined, false);
    press(coronal, 6, 2);
    expect(desk.point.value).toEqual({ x: 3, y: 4, z: 5 });
  });
});

describe("the wheel over a plane", () => {
  it("steps through its cuts, and stays inside the volume", () => {
    coronal?.actions.scroll(1);
    sagittal?.actions.scroll(-1);
    expect(desk.point.value).toEqual({ x: 2, y: 5, z: 5 });
    sagittal?.actions.scroll(-100);
    coronal?.actions.scroll(100);
    expect(desk.point.value).toEqual({ x: 0, y: rows - 1, z: 5 });
  });
});

describe("keys in a plane that has the focus", () => {
  const heard = vi.fn();
  const key = (name: string, more: KeyboardEventInit = {}) =>
    coronal?.viewer.host.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, ...more }));

  beforeEach(() => {
    heard.mockReset();
    document.body.replaceChildren(coronal?.viewer.host as HTMLElement);
    document.body.addEventListener("keydown", heard);
    listenToPaneKeys(desk, coronal?.pane as Pane);
  });

  it("move the point and say where it is", () => {
    key("ArrowRight");
    key("ArrowUp");
    key("PageDown");
    expect(desk.point.value).toEqual({ x: 4, y: 3, z: 6 });
    expect(desk.announcement.value).toMatch(/^Slice 7, column 4, row 3, /);
    key("ArrowLeft", { shiftKey: true });
    expect(desk.point.value.x).toBe(0);
    expect(heard).not.toHaveBeenCalled();
  });

  it("zoom this plane and not the slice", () => {
    key("+");
    expect(coronal?.viewer.zoom).toHaveBeenCalled();
    expect(heard).not.toHaveBeenCalled();
  });

  it("mean what they mean elsewhere otherwise", () => {
    key("n");
    key("ArrowRight", { ctrlKey: true });
    expect(heard).toHaveBeenCalledTimes(2);
    expect(desk.point.value.x).toBe(3);
  });
});

describe("the planes follow", () => {
  it("the keyboard crosshair, which begins where they are", () => {
    desk.toggleCrosshair();
    expect(desk.crosshair.value).toEqual(voxel(3, 4));
    desk.moveCrosshair(1, -2);
    expect(desk.point.value).toEqual({ x: 4, y: 2, z: 5 });
  });

  it("the slice that is looked at", () => {
    desk.goTo(7);
    expect(desk.point.value).toEqual({ x: 3, y: 4, z: 7 });
  });
});

describe("what the planes show", () => {
  const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 1)));
  const masksOf = (pane: ReturnType<typeof newPane> | undefined) => pane?.shown.masks?.map(({ label }) => label);

  beforeEach(() => connectPanes(desk, [coronal?.pane as Pane, sagittal?.pane as Pane]));

  it("is nothing until somebody wants them: they are off, and the key turns them on", () => {
    expect(coronal?.shown).toEqual({});
    COMMANDS.find(({ keys }) => keys.includes("Shift+V"))?.run(desk, {} as Viewer);
    expect(coronal?.shown.cut).toEqual(voxel(3, depth - 6));
    expect(coronal?.shown.slice).toHaveLength(depth * columns);
    expect(sagittal?.shown.slice).toHaveLength(depth * rows);
  });

  it("is every label that the slices show, after the frame that shows it there, and none that is hidden", async () => {
    desk.preferences.planes.value = true;
    made.socket.answer({ label: 2, z: 2, mask: fromPixels(new Uint8Array(rows * columns).fill(1), rows, columns) });
    expect(masksOf(coronal)).toEqual([]);
    await frame();
    expect([masksOf(coronal), masksOf(sagittal)]).toEqual([[2], [2]]);
    const liver = desk.assignment.labels[1] as (typeof desk.assignment.labels)[number];
    desk.setVisible(liver, false);
    await frame();
    expect(masksOf(coronal)).toEqual([]);
    desk.setVisible(liver, true);
    desk.masksHidden.value = true;
    await frame();
    expect(masksOf(sagittal)).toEqual([]);
  });

  it("is the very same where a mask changes beside the cut, and another where it changes on it", async () => {
    desk.preferences.planes.value = true;
    const answer = (...filled: number[]) => {
      const pixels = Array.from({ length: rows * columns }, (_, i) => filled.includes(Math.floor(i / columns)));
      made.socket.answer({ ...PLACE, mask: fromPixels(pixels.map(Number), rows, columns) });
      return frame();
    };
    await answer(4);
    const before = coronal?.shown.masks;
    expect(before).toHaveLength(1);
    await answer(4, 7);
    expect(coronal?.shown.masks).toBe(before);
    await answer(7);
    expect(coronal?.shown.masks).toEqual([]);
  });
});

describe("an effect after the paint", () => {
  it("runs at once, then once for all that changed, after the next frame, until it is ended", async () => {
    const frames: (() => void)[] = [];
    vi.stubGlobal("requestAnimationFrame", (run: () => void) => frames.push(run));
    vi.stubGlobal("cancelAnimationFrame", () => frames.splice(0));
    const [a, b, seen] = [signal(0), signal(0), [] as number[]];
    const end = effectAfterPaint(() => void seen.push(a.value + b.value));
    a.value = 1;
    b.value = 10;
    batch(() => {
      a.value = 2;
    });
    expect([seen, frames.length]).toEqual([[0], 1]);
    frames.shift()?.();
    expect(seen).toEqual([0]);
    await vi.waitFor(() => expect(seen).toEqual([0, 12]));
    b.value = 20;
    end();
    a.value = 30;
    expect(frames).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(seen).toEqual([0, 12]);
    vi.unstubAllGlobals();
  });
});

describe("the preference", () => {
  it("is off for a newcomer, and remembered", () => {
    localStorage.clear();
    const preferences = rememberedPreferences(localStorage);
    expect(preferences.planes.value).toBe(false);
    preferences.planes.value = true;
    expect(rememberedPreferences(localStorage).planes.value).toBe(true);
  });
});
