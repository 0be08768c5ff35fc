/** Which keys a person has for which command, and what a key press means. */
import type { Signal } from "@preact/signals-core";
import type { Viewer } from "../viewer/viewer";
import type { Label } from "./assignment";
import { COMMANDS, type Command, labelCommand, labelNumber } from "./commands";
import { gettext, interpolate } from "../words";
import type { Desk } from "./desk";

/** What a person has changed: the chords of commands by their ids. All others have those of the table. */
export type Bindings = Readonly<Record<string, readonly string[]>>;

const COMMAND_OF_ID = new Map(COMMANDS.map((command) => [command.id, command]));
const DEFAULTS = new Set(COMMANDS.flatMap(({ keys }) => keys));

// ------------------------------------------------------------------------------------------ chords

const SIGNS: Readonly<Record<string, string>> = {
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowLeft: "←",
  ArrowRight: "→",
  "-": "−",
  " ": gettext("Space"),
  Alt: gettext("Alt"),
  Backspace: gettext("Backspace"),
  Ctrl: gettext("Ctrl"),
  Delete: gettext("Delete"),
  End: gettext("End"),
  Enter: gettext("Enter"),
  Escape: gettext("Esc"),
  Home: gettext("Home"),
  PageDown: gettext("PageDown"),
  PageUp: gettext("PageUp"),
  Shift: gettext("Shift"),
};

/** A chord as people write it. */
export const spelled = (chord: string): string =>
  chord
    .split(/(?<=.)\+(?=.)/)
    .map((key) => SIGNS[key] ?? key)
    .join("+");

/** The chord of a key press as the table spells it. Digits go by their place on the keyboard, whatever Shift prints there. */
export function chordOf(
  event: Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">,
): string {
  const digitKey = /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1];
  const letter = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  const key = digitKey ?? letter;
  const printsShift =
    event.key.length === 1 && !digitKey && letter === event.key && event.key.toLowerCase() === event.key;
  const control = event.ctrlKey || event.metaKey ? "Ctrl+" : "";
  return `${control}${event.altKey ? "Alt+" : ""}${event.shiftKey && !printsShift ? "Shift+" : ""}${key}`;
}

/** Whether a press is no chord yet: a modifier alone, or an accent that waits for its letter. */
export const isUnfinished = ({ key }: Pick<KeyboardEvent, "key">): boolean =>
  /^(Shift|Control|Alt|AltGraph|Meta|Dead|Process|Unidentified|.*Lock)$/.test(key);

const RESERVED: readonly (readonly [RegExp, string])[] = [
  [/(^|\+)Tab$/, gettext("“%(key)s” moves through the page, for assistive technology too.")],
  [/(^|\+) $/, gettext("“%(key)s” pans while it is held, and presses buttons.")],
  [/(^|\+)Escape$/, gettext("“%(key)s” leaves what is under way.")],
  [
    /(^|\+)(F\d+|ContextMenu|Insert|PrintScreen)$/,
    gettext("“%(key)s” belongs to the browser or to assistive technology."),
  ],
  [
    /^Ctrl\+(Alt\+)?(Shift\+)?(.|PageUp|PageDown|Delete|Backspace)$/,
    gettext("“%(key)s” belongs to the browser or the system."),
  ],
  [/^Alt\+(.|Arrow\w+|Home|Enter)$/, gettext("“%(key)s” belongs to the browser or the system.")],
];

/** Why nobody may give this chord to a command, in one sentence; undefined where anybody may. */
export function refusal(chord: string): string | undefined {
  if (DEFAULTS.has(chord)) return undefined;
  const why = RESERVED.find(([pattern]) => pattern.test(chord))?.[1];
  return why && interpolate(why, { key: spelled(chord) });
}

// ------------------------------------------------------------------------------------------ a person's keys

/** The keys that a project gives its labels, where no other command has them: a label's own goes before a number. */
export function hotkeys(labels: readonly Label[]): Bindings {
  const others = new Set(COMMANDS.filter((one) => !labelNumber(one)).flatMap(({ keys }) => keys));
  const own = labels.map(({ hotkey }, i) => [labelCommand(i + 1), [hotkey]] as const);
  return Object.fromEntries(own.filter(([, [chord]]) => chord && !others.has(chord)));
}

export class Keys {
  private readonly changed: Signal<Bindings>;
  private readonly first: Bindings;

  /** `first`: what commands have here instead of the table's keys, until the person changes it. */
  constructor(changed: Signal<Bindings>, first: Bindings = {}) {
    [this.changed, this.first] = [changed, first];
  }

  /** The chords of a command; none where the person, or the project, has given its own to another. */
  of(command: Command): readonly string[] {
    const taken = new Set(Object.values(this.changed.value).flat());
    return this.changed.value[command.id] ?? this.firstOf(command).filter((chord) => !taken.has(chord));
  }

  private firstOf(command: Command): readonly string[] {
    const taken = new Set(Object.values(this.first).flat());
    return this.first[command.id] ?? command.keys.filter((chord) => !taken.has(chord));
  }

  /** The first key of a command as people write it. Throws where there is no such command. */
  name(id: string): string {
    return spelled(this.of(commandNamed(id))[0] ?? "no key");
  }

  /** What a chord does. */
  command(chord: string): Command | undefined {
    return COMMANDS.find((command) => this.of(command).includes(chord));
  }

  isChanged(id?: string): boolean {
    return id === undefined ? Object.keys(this.changed.value).length > 0 : id in this.changed.value;
  }

  /** Gives a command this chord for its `old` one. The command that had it gets the old one, so none is left without. */
  give(command: Command, old: string | undefined, chord: string): void {
    const other = this.command(chord);
    if (other === command) return;
    this.changed.value = {
      ...this.changed.value,
      ...(other && { [other.id]: exchanged(this.of(other), chord, old) }),
      [command.id]: exchanged(this.of(command), old, chord),
    };
  }

  /** Back to the table's keys; commands that have one of them now go back as well. */
  reset(command: Command): void {
    const changed = { ...this.changed.value };
    const free = (one: Command) => {
      delete changed[one.id];
      const first = this.firstOf(one);
      for (const [other, chords] of Object.entries(changed))
        if (other in changed && chords.some((chord) => first.includes(chord))) free(commandNamed(other));
    };
    free(command);
    this.changed.value = changed;
  }

  resetAll(): void {
    this.changed.value = {};
  }
}

/** The chords with one replaced, added where there was none, or taken away. */
function exchanged(chords: readonly string[], from: string | undefined, to: string | undefined): readonly string[] {
  const slots = from === undefined ? [...chords, from] : chords;
  return slots.map((chord) => (chord === from ? to : chord)).filter(isText);
}

const isText = (value: unknown): value is string => typeof value === "string";

/** Throws where there is none: a misspelt id must not go unnoticed. */
export function commandNamed(id: string): Command {
  const command = COMMAND_OF_ID.get(id);
  if (!command) throw new Error(`There is no command "${id}".`);
  return command;
}

/** What was stored, without commands that are no more; nothing where it makes no sense. */
export function bindingsFrom(stored: unknown): Bindings {
  if (typeof stored !== "object" || stored === null || Array.isArray(stored)) return {};
  const known = Object.entries(stored).filter(([id]) => COMMAND_OF_ID.has(id));
  const isSound = ([, chords]: [string, unknown]) =>
    Array.isArray(chords) && chords.every((chord) => isText(chord) && chord !== "" && !refusal(chord));
  const chords = known.flatMap(([, given]) => given as readonly string[]);
  return known.every(isSound) && new Set(chords).size === chords.length ? Object.fromEntries(known) : {};
}

// ------------------------------------------------------------------------------------------ key presses

const WIDGET_KEYS = new Set([
  "ArrowUp",
  "ArrowDown",
  "ArrowLeft",
  "ArrowRight",
  "PageUp",
  "PageDown",
  "Home",
  "End",
  "Enter",
]);

/** The command of a key press, unless the element that has the focus needs that key itself. */
export function commandFor(event: KeyboardEvent, keys: Keys, singleKeys: boolean): Command | undefined {
  const target = event.target instanceof Element ? event.target : undefined;
  if (target?.closest("dialog, textarea, select, input:not([type=range], [type=radio], [type=checkbox])")) return;
  if (target?.closest("input, button, a, summary") && WIDGET_KEYS.has(event.key)) return;
  const chord = chordOf(event);
  const command = keys.command(chord);
  return singleKeys || chord.length > 1 || command?.id === "help" ? command : undefined;
}

export function listenToKeys(desk: Desk, viewer: Viewer): void {
  const held = new Map<string, Command>(); // by the key's place on the keyboard
  const letGo = (code: string) => {
    held.get(code)?.release?.(desk, viewer);
    held.delete(code);
  };
  window.addEventListener("keydown", (event) => {
    const command = commandFor(event, desk.keys, desk.preferences.singleKeys.value);
    if (!command) return;
    event.preventDefault();
    if (command.release) held.set(event.code, command);
    command.run(desk, viewer);
  });
  window.addEventListener("keyup", ({ code }) => letGo(code));
  window.addEventListener("blur", () => [...held.keys()].forEach(letGo));
}
