// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type PointerActions, PointerInput } from "../../src/viewer/pointer";

type Told = [name: string, ...rest: unknown[]];

let told: Told[];
let host: HTMLElement;
let tool: "click" | "window" | "navigate";
let frames: (() => void)[];
const frame = () => {
  for (const run of frames.splice(0)) run();
};

beforeEach(() => {
  [told, tool, frames] = [[], "click", []];
  host = document.createElement("div");
  host.setPointerCapture = () => {};
  vi.stubGlobal("requestAnimationFrame", (run: () => void) => frames.push(run));
  const tell =
    (name: string) =>
    (...rest: unknown[]) => {
      told.push([name, ...rest]);
    };
  const names = ["press", "drag", "release", "cancel", "remove", "hover", "changeWindow", "pan", "zoom", "scroll"];
  const actions = Object.fromEntries(names.map((name) => [name, tell(name)])) as unknown as PointerActions;
  new PointerInput(host, { ...actions, tool: () => tool });
});

const point = (type: string, x: number, y: number, more: PointerEventInit = {}) =>
  host.dispatchEvent(new PointerEvent(type, { clientX: x, clientY: y, pointerId: 1, button: 0, ...more }));
/** happy-dom's wheel event has no modifiers and no position. */
const wheel = (deltaY: number, more: WheelEventInit = {}) =>
  host.dispatchEvent(Object.assign(new WheelEvent("wheel", { deltaY, ...more }), { ctrlKey: false, ...more }));
const at = (x: number, y: number) => ({ x, y });

describe("the left button", () => {
  it("presses, drags once per frame, and releases where it ends", () => {
    point("pointerdown", 1, 1);
    point("pointermove", 2, 2);
    point("pointermove", 3, 3);
    frame();
    point("pointermove", 4, 4);
    point("pointerup", 5, 5);
    frame();
    expect(told).toEqual([["press", at(1, 1), false], ["drag", at(3, 3)], ["drag", at(5, 5)], ["release"]]);
  });

  it("with Alt, and the right button, press a background click", () => {
    point("pointerdown", 1, 1, { altKey: true });
    point("pointerup", 1, 1);
    point("pointerdown", 2, 2, { button: 2 });
    expect(told.filter(([name]) => name === "press")).toEqual([
      ["press", at(1, 1), true],
      ["press", at(2, 2), true],
    ]);
  });

  it("with Shift deletes", () => {
    point("pointerdown", 1, 1, { shiftKey: true });
    point("pointerup", 1, 1);
    expect(told).toEqual([["remove", at(1, 1)]]);
  });

  it("with Shift goes where it is pressed, where there is nothing to delete", () => {
    tool = "navigate";
    point("pointerdown", 1, 1, { shiftKey: true });
    expect(told).toEqual([["press", at(1, 1), false]]);
  });

  it("with Ctrl, and with the window tool, changes the window", () => {
    point("pointerdown", 1, 1, { ctrlKey: true });
    point("pointermove", 4, 6);
    frame();
    point("pointerup", 4, 6);
    tool = "window";
    point("pointerdown", 0, 0);
    point("pointermove", 1, 2);
    frame();
    expect(told.slice(0, 1)).toEqual([["changeWindow", 3, 5]]);
    expect(told.at(-1)).toEqual(["changeWindow", 1, 2]);
  });

  it("that is lost to the system cancels", () => {
    point("pointerdown", 1, 1);
    point("pointercancel", 1, 1);
    point("pointerup", 1, 1);
    expect(told.map(([name]) => name)).toEqual(["press", "cancel"]);
  });

  it("is not disturbed by a second button", () => {
    point("pointerdown", 1, 1);
    point("pointerdown", 1, 1, { button: 2, pointerId: 1 });
    point("pointerup", 1, 1);
    expect(told.map(([name]) => name)).toEqual(["press", "drag", "release"]);
  });
});

describe("the wheel", () => {
  it("is one slice per notch, up is towards the head", () => {
    wheel(-120);
    wheel(100);
    wheel(3, { deltaMode: 1 });
    expect(told).toEqual([
      ["scroll", 1],
      ["scroll", -1],
      ["scroll", -1],
    ]);
  });

  it("of a touchpad adds up", () => {
    for (let i = 0; i < 11; i++) wheel(10);
    expect(told).toEqual([
      ["scroll", -1],
      ["scroll", -1],
    ]);
  });

  it("with Ctrl zooms around the pointer", () => {
    wheel(-100, { ctrlKey: true, clientX: 7, clientY: 8 });
    expect(told[0]?.[0]).toBe("zoom");
    expect(told[0]?.[1]).toBeGreaterThan(1);
  });

  it("does not change the slice under a click that is held", () => {
    point("pointerdown", 1, 1);
    wheel(120);
    expect(told.map(([name]) => name)).toEqual(["press"]);
  });
});

describe("other gestures", () => {
  it("pan with the middle button", () => {
    point("pointerdown", 1, 1, { button: 1 });
    point("pointermove", 5, 3);
    frame();
    expect(told).toEqual([["pan", 4, 2]]);
  });

  it("hover when nothing is pressed, and leave", () => {
    point("pointermove", 5, 3);
    frame();
    point("pointermove", 6, 3, { shiftKey: true });
    frame();
    point("pointerleave", 0, 0);
    expect(told).toEqual([
      ["hover", at(5, 3), false],
      ["hover", at(6, 3), true],
      ["hover", undefined, false],
    ]);
  });

  it("pinch with two fingers, which takes back the first finger's press", () => {
    point("pointerdown", 0, 0, { pointerType: "touch", pointerId: 5 });
    point("pointerdown", 10, 0, { pointerType: "touch", pointerId: 6 });
    point("pointermove", 20, 0, { pointerType: "touch", pointerId: 6 });
    point("pointerup", 20, 0, { pointerType: "touch", pointerId: 6 });
    point("pointerup", 0, 0, { pointerType: "touch", pointerId: 5 });
    expect(told).toEqual([["press", at(0, 0), false], ["cancel"], ["pan", 5, 0], ["zoom", 2, at(10, 0)]]);
  });
});

describe("a pen", () => {
  const pen = (type: string, x: number, y: number, more: PointerEventInit = {}) =>
    point(type, x, y, { pointerType: "pen", pointerId: 7, ...more });
  const palm = (type: string, x: number, y: number, more: PointerEventInit = {}) =>
    point(type, x, y, { pointerType: "touch", pointerId: 5, ...more });

  it("presses, drags and releases like the left button, and takes away with its other end", () => {
    pen("pointerdown", 1, 1);
    pen("pointerup", 2, 2);
    pen("pointerdown", 3, 3, { button: 5, buttons: 32 });
    expect(told).toEqual([["press", at(1, 1), false], ["drag", at(2, 2)], ["release"], ["press", at(3, 3), true]]);
  });

  it("takes away with its other end whatever the tool is", () => {
    tool = "window";
    pen("pointerdown", 3, 3, { button: 5, buttons: 32 });
    expect(told).toEqual([["press", at(3, 3), true]]);
  });

  it("is not disturbed by the hand that holds it, whatever the system makes of that", () => {
    pen("pointerdown", 1, 1);
    palm("pointerdown", 50, 50);
    palm("pointerdown", 60, 60, { pointerId: 6 });
    palm("pointermove", 51, 51);
    frame();
    palm("pointercancel", 51, 51);
    palm("pointerup", 60, 60, { pointerId: 6 });
    palm("pointerleave", 60, 60, { pointerId: 6 });
    pen("pointerup", 2, 2);
    expect(told).toEqual([["press", at(1, 1), false], ["drag", at(2, 2)], ["release"]]);
  });

  it("that hovers makes the hand place nothing, until it is gone", () => {
    pen("pointermove", 1, 1);
    frame();
    palm("pointerdown", 50, 50);
    palm("pointerup", 50, 50);
    expect(told).toEqual([["hover", at(1, 1), false]]);
    pen("pointerleave", 1, 1);
    palm("pointerdown", 50, 50);
    expect(told.slice(1)).toEqual([
      ["hover", undefined, false],
      ["press", at(50, 50), false],
    ]);
  });

  it("that comes after the hand takes over, and the hand's press is given up", () => {
    palm("pointerdown", 50, 50);
    pen("pointerdown", 1, 1);
    palm("pointermove", 52, 52);
    frame();
    palm("pointerup", 52, 52);
    pen("pointerup", 2, 2);
    expect(told.map(([name]) => name)).toEqual(["press", "cancel", "press", "drag", "release"]);
  });
});

describe("a finger", () => {
  it("counts for nothing while the mouse drags", () => {
    point("pointerdown", 1, 1);
    for (const pointerId of [5, 6]) point("pointerdown", 9, 9, { pointerType: "touch", pointerId });
    point("pointerup", 2, 2);
    expect(told.map(([name]) => name)).toEqual(["press", "drag", "release"]);
  });

  it("that stays after a pinch pans, and presses nothing", () => {
    const finger = (type: string, pointerId: number, x: number) =>
      point(type, x, 0, { pointerType: "touch", pointerId });
    finger("pointerdown", 5, 0);
    finger("pointerdown", 6, 10);
    finger("pointerup", 5, 0);
    finger("pointermove", 6, 14);
    finger("pointerup", 6, 14);
    expect(told).toEqual([["press", at(0, 0), false], ["cancel"], ["pan", 4, 0], ["zoom", 1, at(14, 0)]]);
  });
});
