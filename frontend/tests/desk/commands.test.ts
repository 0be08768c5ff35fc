// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { COMMANDS, chordOf, commandFor } from "../../src/desk/commands";

const press = (key: string, code = "", more: KeyboardEventInit = {}) =>
  new KeyboardEvent("keydown", { key, code, ...more });
const on = (html: string, event: KeyboardEvent) => {
  document.body.innerHTML = html;
  const target = document.body.querySelector("[data-target]") ?? document.body.firstElementChild;
  Object.defineProperty(event, "target", { value: target });
  return commandFor(event, true)?.does;
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
    expect(commandFor(press("x", "KeyX"), false)).toBeUndefined();
    expect(commandFor(press("?", "Slash", { shiftKey: true }), false)?.does).toBe("This sheet");
    expect(commandFor(press("z", "KeyZ", { ctrlKey: true }), false)?.does).toBe("Undo");
  });
});
