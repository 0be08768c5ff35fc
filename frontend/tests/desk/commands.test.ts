// @vitest-environment happy-dom
import { signal } from "@preact/signals-core";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/desk/commands";
import {
  type Bindings,
  bindingsFrom,
  chordOf,
  commandFor,
  commandNamed,
  hotkeys,
  Keys,
  refusal,
} from "../../src/desk/keys";

/** As the table has them. */
const FIRST = new Keys(signal<Bindings>({}));
const press = (key: string, code = "", more: KeyboardEventInit = {}) =>
  new KeyboardEvent("keydown", { key, code, ...more });
const on = (html: string, event: KeyboardEvent) => {
  document.body.innerHTML = html;
  const target = document.body.querySelector("[data-target]") ?? document.body.firstElementChild;
  Object.defineProperty(event, "target", { value: target });
  return commandFor(event, FIRST, true)?.does;
};

describe("chords", () => {
  it.each([
    [press("z", "KeyZ", { ctrlKey: true }), "Ctrl+Z"],
    [press("z", "KeyZ", { metaKey: true }), "Ctrl+Z"],
    [press("Z", "KeyZ", { ctrlKey: true, shiftKey: true }), "Ctrl+Shift+Z"],
    [press("?", "Slash", { shiftKey: true }), "?"],
    [press("!", "Digit1", { shiftKey: true }), "Shift+1"],
    [press("&", "Digit1"), "1"], // French keyboards print & there
    [press("A", "KeyA"), "A"], // caps lock
    [press("ArrowUp", "ArrowUp", { shiftKey: true }), "Shift+ArrowUp"],
    [press("+", "Equal", { shiftKey: true }), "+"],
  ])("%#: are spelled like the table", (event, chord) => {
    expect(chordOf(event)).toBe(chord);
  });

  it("mean one thing each", () => {
    const chords = COMMANDS.flatMap(({ keys }) => keys);
    expect(new Set(chords).size).toBe(chords.length);
  });
});

describe("a key press", () => {
  it("is a command where nothing else needs it", () => {
    expect(on("<div tabindex=0></div>", press("ArrowUp"))).toBe("Next slice towards the head");
    expect(on("<button></button>", press("z", "KeyZ", { ctrlKey: true }))).toBe("Undo");
  });

  it.each([
    ['<input type="text">', press("x", "KeyX")],
    ["<textarea></textarea>", press("Delete")],
    ['<input type="range">', press("ArrowUp")],
    ["<button></button>", press("Enter")],
    ["<dialog><p data-target></p></dialog>", press("x", "KeyX")],
  ])("is left to %s", (html, event) => {
    expect(on(html, event)).toBeUndefined();
  });

  it("without Ctrl can be turned off, except the sheet that turns it on again", () => {
    expect(commandFor(press("x", "KeyX"), FIRST, false)).toBeUndefined();
    expect(commandFor(press("?", "Slash", { shiftKey: true }), FIRST, false)?.does).toBe("This sheet");
    expect(commandFor(press("z", "KeyZ", { ctrlKey: true }), FIRST, false)?.does).toBe("Undo");
  });
});

it("commands have names of their own", () => {
  const ids = COMMANDS.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(() => commandNamed("nonsense")).toThrow("nonsense");
});

describe("a person's keys", () => {
  const [brush, eraser] = [commandNamed("brush"), commandNamed("eraser")];
  const [lasso, zoomIn] = [commandNamed("lasso"), commandNamed("zoom-in")];
  const made = (changed: Bindings = {}) => {
    const bindings = signal<Bindings>(changed);
    return { bindings, keys: new Keys(bindings) };
  };

  it("are the table's until one is given to a command", () => {
    const { keys } = made();
    expect([keys.of(brush), keys.name("brush"), keys.isChanged()]).toEqual([["B"], "B", false]);
    keys.give(brush, "B", "Alt+Shift+B");
    expect([keys.of(brush), keys.command("Alt+Shift+B"), keys.command("B")]).toEqual([
      ["Alt+Shift+B"],
      brush,
      undefined,
    ]);
    expect(commandFor(press("B", "KeyB", { altKey: true, shiftKey: true }), keys, true)).toBe(brush);
    expect([keys.isChanged("brush"), keys.isChanged("eraser")]).toEqual([true, false]);
  });

  it("are exchanged where a command has the key already, so none is left without", () => {
    const { keys } = made();
    keys.give(zoomIn, "=", "B");
    expect([keys.of(zoomIn), keys.of(brush)]).toEqual([["+", "B"], ["="]]);
    const chords = COMMANDS.flatMap((command) => keys.of(command));
    expect(new Set(chords).size).toBe(chords.length);
  });

  it("go back to the table's, and with them whoever has those", () => {
    const { keys, bindings } = made();
    keys.give(brush, "B", "E");
    keys.give(eraser, "B", "L");
    keys.give(zoomIn, "+", "*");
    expect([keys.of(brush), keys.of(eraser), keys.of(lasso)]).toEqual([["E"], ["L"], ["B"]]);
    keys.reset(brush);
    expect(bindings.value).toEqual({ "zoom-in": ["*", "="] });
    keys.resetAll();
    expect(keys.isChanged()).toBe(false);
  });

  it("hold against a command that is new and would have the same", () => {
    const { keys } = made({ brush: ["E"] });
    expect([keys.command("E"), keys.of(eraser), keys.name("eraser")]).toEqual([brush, [], "no key"]);
    keys.give(eraser, undefined, "B");
    expect(keys.of(eraser)).toEqual(["B"]);
  });

  it("always open the sheet, whatever key that has", () => {
    const { keys } = made();
    keys.give(commandNamed("help"), "?", "#");
    expect(commandFor(press("#", "Backslash"), keys, false)?.id).toBe("help");
  });

  it.each([
    ["Tab", "“Tab” moves through the page, for assistive technology too."],
    ["Shift+Tab", "“Shift+Tab” moves through the page, for assistive technology too."],
    [" ", "“Space” pans while it is held, and presses buttons."],
    ["F5", "“F5” belongs to the browser or to assistive technology."],
    ["Ctrl+W", "“Ctrl+W” belongs to the browser or the system."],
    ["Ctrl+Shift+T", "“Ctrl+Shift+T” belongs to the browser or the system."],
    ["Alt+ArrowLeft", "“Alt+←” belongs to the browser or the system."],
  ])("are never %s", (chord, sentence) => {
    expect(refusal(chord)).toBe(sentence);
  });

  it.each(["B", "Ctrl+Z", "Ctrl+Shift+Z", "Alt+Shift+B", "Ctrl+Enter", "*", "Escape"])("may be %s", (chord) => {
    expect(refusal(chord)).toBeUndefined();
  });

  it("that were stored are taken, but for commands that are no more", () => {
    expect(bindingsFrom({ brush: ["Q"], peek: ["B"], gone: ["X"] })).toEqual({ brush: ["Q"], peek: ["B"] });
  });

  it.each([
    undefined,
    null,
    "B",
    ["B"],
    { brush: "B" },
    { brush: [1] },
    { brush: [""] },
    { brush: ["Tab"] },
    { brush: ["Q"], eraser: ["Q"] },
  ])("that were stored and make no sense (%j) are the table's", (stored) => {
    expect(bindingsFrom(stored)).toEqual({});
  });
});

describe("the keys that a project gives its labels", () => {
  const label = (id: number, hotkey: string) => ({ id, name: `${id}`, value: id, colour: "#000000", hotkey });
  const labels = [label(11, ""), label(12, "2"), label(13, "B"), label(14, "1"), label(15, ";")];
  const made = (changed: Bindings = {}) => new Keys(signal<Bindings>(changed), hotkeys(labels));
  const chosen = (keys: Keys, chord: string) => keys.command(chord)?.id;

  it("choose them, before any number does", () => {
    const keys = made();
    expect(["1", ";", "5", "2"].map((chord) => chosen(keys, chord))).toEqual([
      "label-4",
      "label-5",
      undefined,
      "label-2",
    ]);
    expect(keys.of(commandNamed("label-1"))).toEqual([]);
  });

  it("leave the keys of other commands to these", () => {
    expect([chosen(made(), "B"), chosen(made(), "3")]).toEqual(["brush", "label-3"]);
  });

  it("give way to what a person wants, until it is reset", () => {
    const keys = made({ "label-5": ["W"], window: [";"] });
    expect([chosen(keys, "W"), chosen(keys, ";")]).toEqual(["label-5", "window"]);
    keys.reset(commandNamed("label-5"));
    expect([chosen(keys, "W"), chosen(keys, ";")]).toEqual(["window", "label-5"]);
  });

  it("reach labels beyond the ninth", () => {
    const many = Array.from({ length: 12 }, (_, i) => label(i, i === 11 ? "+" : i === 10 ? ";" : ""));
    const keys = new Keys(signal<Bindings>({}), hotkeys(many));
    expect([chosen(keys, ";"), chosen(keys, "+"), chosen(keys, "9")]).toEqual(["label-11", "zoom-in", "label-9"]);
  });
});
