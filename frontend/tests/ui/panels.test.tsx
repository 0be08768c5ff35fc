// @vitest-environment happy-dom
import { signal } from "@preact/signals-core";
import { render } from "preact";
import { act } from "preact/test-utils";
import { beforeEach, describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/desk/commands";
import type { Reading } from "../../src/desk/adjudication";
import { maskToText } from "../../src/protocol/mask";
import { App } from "../../src/ui/App";
import type { Work } from "../../src/ui/context";
import { stretches } from "../../src/ui/SliceBar";
import { imagePoint } from "../../src/viewer/geometry";
import type { Viewer } from "../../src/viewer/viewer";
import { newDesk } from "../desk/deskfake";
import { changedOf, maskOf, PLACE, refusal, storedOf } from "../session/fakes";

let work: Work;
let socket: Awaited<ReturnType<typeof newDesk>>["socket"];
const text = (selector: string) => document.querySelector(selector)?.textContent ?? "";
const doing = (run: () => void) => act(run);

beforeEach(async () => {
  const made = await newDesk();
  socket = made.socket;
  const host = document.createElement("div");
  const viewport = signal({ centre: imagePoint(4, 4), zoom: 2 });
  const viewer = { host, viewport, zoom() {}, fit() {} } as unknown as Viewer;
  const panes = made.desk.planes.map((plane) => ({
    plane,
    viewer: { host: document.createElement("div") } as unknown as Viewer,
  }));
  work = { desk: made.desk, viewer, panes };
  document.body.innerHTML = "<div id=case></div>";
  await doing(() => render(<App work={work} />, document.getElementById("case") as HTMLElement));
});

describe("the top bar", () => {
  it("tells whether the work is safe", async () => {
    expect(text(".saving")).toBe("Saved ✓");
    await doing(() => {
      work.desk.session.hold({ ...PLACE, click: undefined, y: 1, x: 1, positive: true });
      work.desk.session.release();
    });
    expect(text(".saving")).toBe("Saving…");
    await doing(() => socket.fail());
    expect(text(".saving")).toBe("Not saved");
    expect(text(".connection")).toBe("Reconnecting: 1 change waiting");
  });

  it("tells how long answers take, and when there are none", async () => {
    await doing(() => {
      work.desk.session.hold({ ...PLACE, click: undefined, y: 1, x: 1, positive: true });
      socket.answer({ kind: "preview", number: 1, networkMs: 20, totalMs: 25 });
    });
    expect(text(".speed")).toContain("network 20 · server 25");
    await doing(() => socket.say({ type: "inference", state: "away" }));
    expect(text(".states")).toContain("inference is away");
  });
});

describe("the banner", () => {
  const button = (name: string) =>
    [...document.querySelectorAll<HTMLButtonElement>(".banner button")].find((one) => one.textContent === name);

  it("says that the person works in another window, and takes the work back", async () => {
    expect(document.querySelector(".banner")).toBeNull();
    await doing(() => socket.say({ type: "lease", mine: false, person: "maria", since: "2026-11-28T09:30:00Z" }));
    expect(text(".banner p")).toMatch(/^You went on in another window at .*Here you only look on\.$/);
    await doing(() => button("Take back")?.click());
    expect(socket.of("take_over")).toHaveLength(1);
  });

  it("leaves the choice between two versions to the person", async () => {
    await doing(() => {
      work.desk.session.paint(PLACE, "brush", maskOf(3));
      socket.say(refusal("lease", 1));
      socket.say(changedOf({ z: 5 }));
    });
    expect(text(".banner p")).toContain("while 1 change made here (slice 6) waited");
    await doing(() => button("See the difference")?.click());
    expect(work.desk.difference.value.map(({ mask }) => mask)).toEqual([maskOf(3)]);
    await doing(() => button("Take theirs")?.click());
    expect(work.desk.session.waiting.value).toEqual([]);
    expect(work.desk.difference.value).toEqual([]);
  });

  it("shows a click that nobody has answered beside the other window's", async () => {
    const theirs = { id: 1, y: 2, x: 3, positive: false };
    await doing(() => {
      work.desk.session.hold({ ...PLACE, click: undefined, y: 5, x: 6, positive: true });
      work.desk.session.release();
      socket.say(refusal("lease", 1));
      socket.say(changedOf({ clicks: [theirs] }));
    });
    expect(work.desk.clicks.value).toEqual([theirs]);
    await doing(() => button("See the difference")?.click());
    expect(work.desk.clicks.value).toEqual([theirs, { id: -2, y: 5, x: 6, positive: true }]);
    await doing(() => button("Keep mine on top")?.click());
    expect(work.desk.clicks.value.map(({ y }) => y)).toEqual([2, 5]);
    expect(work.desk.session.waiting.value).toHaveLength(1);
  });
});

describe("the panels", () => {
  it("choose labels and count their slices", async () => {
    await doing(() => socket.answer({ label: 2, mask: maskOf(3) }));
    const liver = document.querySelectorAll<HTMLInputElement>(".labels input")[1];
    expect(liver?.closest("label")?.textContent).toBe("Liver12");
    await doing(() => liver?.click());
    expect(work.desk.label.value.name).toBe("Liver");
    expect(document.querySelector(".strip")?.getAttribute("aria-label")).toBe("Spleen: 0 slices; Liver: 1 slice");
  });

  it("list the clicks in words", async () => {
    await doing(() => socket.say(storedOf({ clicks: [{ id: 1, y: 2, x: 3, positive: false }] })));
    expect(document.querySelector(".click")?.getAttribute("aria-label")).toBe("Click 1, background, column 3, row 2");
  });

  it("show the planes beside the slice where wanted, each with its letters and what it waits for", async () => {
    expect(document.querySelector(".planes")).toBeNull();
    const tool = document.querySelector<HTMLButtonElement>("[aria-label='Coronal and sagittal plane']");
    await doing(() => tool?.click());
    expect(tool?.getAttribute("aria-pressed")).toBe("true");
    const stages = [...document.querySelectorAll(".planes .stage")].map((stage) => stage.textContent);
    expect(stages).toEqual([
      expect.stringMatching(/^LRISCoronal y 4\d+ of 20 slices$/),
      expect.stringMatching(/^PAISSagittal x 4\d+ of 20 slices$/),
    ]);
    await doing(() => tool?.click());
    expect(document.querySelector(".planes")).toBeNull();
  });

  it("say what kind of images these are", () => {
    expect(text(".badge")).toBe("Synthetic phantom – not a patient");
    expect(text(".side .warning")).toBe("Slices are 5 mm apart.");
    expect(document.querySelectorAll(".guidelines p")).toHaveLength(2);
  });

  it("offer the project's windows beside the standard ones", async () => {
    const fat = [...document.querySelectorAll<HTMLButtonElement>(".presets button")].find(
      (one) => one.textContent === "Fat",
    );
    expect(fat?.title).toBe("Width 200, level -100");
    await doing(() => fat?.click());
    expect(work.desk.greyWindow.value).toEqual({ width: 200, level: -100 });
  });

  it("show refusals until dismissed", async () => {
    await doing(() => socket.say(refusal("read_only", 0)));
    expect(text(".notices")).toBe("No: read_only.");
    await doing(() => document.querySelector<HTMLButtonElement>(".notice button")?.click());
    expect(text(".notices")).toBe("");
  });

  it("have a name for every control", () => {
    const nameless = [...document.querySelectorAll("button, a, input:not([type=hidden])")].filter(
      (control) =>
        !control.textContent?.trim() &&
        !control.getAttribute("aria-label") &&
        !control.closest("label")?.textContent?.trim(),
    );
    expect(nameless).toEqual([]);
  });
});

describe("the sheet of keys", () => {
  const keyOf = (does: string) =>
    document.querySelector<HTMLElement>(`.key[aria-label$="change this key of “${does}”"]`);
  const button = (name: string) =>
    [...document.querySelectorAll("button")].find((one) => one.textContent === name) as HTMLButtonElement;
  const press = (key: string, more: KeyboardEventInit = {}) =>
    doing(() => {
      const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
      (document.querySelector(".keysheet input.key") ?? document.querySelector(".keysheet"))?.dispatchEvent(event);
    });
  const said = () => text(".keysheet [role=status]");

  it("has every command, but no labels that the project does not have", () => {
    const sheet = text(".keysheet");
    for (const { does } of COMMANDS) if (!/^Label \d+$/.test(does)) expect(sheet).toContain(does);
    expect(sheet).toContain("Label 2");
    expect(sheet).not.toContain("Label 3");
  });

  it("asks for a key, takes it, and every tip shows it", async () => {
    await doing(() => keyOf("Fill holes")?.click());
    expect(said()).toBe("Press the new key for “Fill holes”. Escape leaves it as it is.");
    expect(document.activeElement?.getAttribute("aria-label")).toBe("New key for “Fill holes”");
    await press("Shift");
    await press("x", { altKey: true, shiftKey: true });
    expect(said()).toBe("“Fill holes” has the key Alt+Shift+X now.");
    expect(document.activeElement).toBe(keyOf("Fill holes"));
    expect(button("Fill holes").title).toBe("Fill holes (Alt+Shift+X)");
    await doing(() =>
      document.querySelector<HTMLButtonElement>('[aria-label="Reset the key of “Fill holes”"]')?.click(),
    );
    expect(said()).toBe("“Fill holes” has its first key again: J.");
    expect(button("Fill holes").title).toBe("Fill holes (J)");
  });

  it("is left by Escape with the key as it was", async () => {
    await doing(() => keyOf("Brush")?.click());
    await press("Escape");
    expect([said(), work.desk.keys.name("brush"), work.desk.keys.isChanged()]).toEqual([
      "Choose a key to change it.",
      "B",
      false,
    ]);
    expect(document.activeElement).toBe(keyOf("Brush"));
  });

  it("says whose key it is, and swaps the two if that is wanted", async () => {
    await doing(() => keyOf("Brush")?.click());
    await press("e");
    expect(said()).toBe("E is the key of “Eraser”.");
    expect(work.desk.keys.name("brush")).toBe("B");
    expect(document.activeElement).toBe(button("Swap the two keys"));
    await doing(() => button("Leave them").click());
    expect([said(), work.desk.keys.name("brush")]).toEqual(["Choose a key to change it.", "B"]);
    await doing(() => keyOf("Brush")?.click());
    await press("e");
    await doing(() => button("Swap the two keys").click());
    expect([work.desk.keys.name("brush"), work.desk.keys.name("eraser")]).toEqual(["E", "B"]);
    await doing(() => button("Reset all keys").click());
    expect([work.desk.keys.name("brush"), work.desk.keys.name("eraser")]).toEqual(["B", "E"]);
    expect(button("Reset all keys").disabled).toBe(true);
  });

  it("refuses keys of browser and assistive technology, and waits for another", async () => {
    await doing(() => keyOf("Brush")?.click());
    await press("w", { ctrlKey: true });
    expect(said()).toContain("“Ctrl+W” belongs to the browser or the system.");
    await press("Tab");
    expect(said()).toContain("“Tab” moves through the page");
    await press("#");
    expect(work.desk.keys.name("brush")).toBe("#");
  });
});

describe("the slice strip", () => {
  it("joins neighbouring slices", () => {
    expect(stretches([])).toEqual([]);
    expect(stretches([1, 2, 3, 7, 9, 10])).toEqual([
      [1, 3],
      [7, 7],
      [9, 10],
    ]);
  });
});

describe("the panel of an adjudication", () => {
  const reading = (person: string, n: number): Reading => ({
    person,
    masks: [[PLACE.label, 7, maskToText(maskOf(n))]],
  });

  it("names the readers and lists where they differ", async () => {
    const { desk } = await newDesk({}, [reading("alice", 4), reading("bob", 2)]);
    const other = { ...work, desk };
    document.body.innerHTML = "<div id=case></div>";
    await doing(() => render(<App work={other} />, document.getElementById("case") as HTMLElement));
    expect(text(".adjudication")).toContain("1 undecided");
    expect([...document.querySelectorAll(".legend li")].map((li) => li.textContent?.trim())).toEqual([
      "alice",
      "bob",
      "only one of them",
    ]);
    await doing(() => document.querySelector<HTMLButtonElement>(".difference")?.click());
    expect(desk.z.value).toBe(7);
  });

  it("is on no other case", () => {
    expect(document.querySelector(".adjudication")).toBeNull();
  });
});
