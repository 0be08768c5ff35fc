/** The sheet of keys, made from the table that the keyboard itself uses; every key in it can be changed. */
import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { COMMANDS, type Command, type Hint, labelNumber, MOUSE, PLANE_MOUSE } from "../desk/commands";
import type { Desk } from "../desk/desk";
import { chordOf, isUnfinished, refusal, spelled } from "../desk/keys";
import type { Work } from "./context";
import { gettext } from "../words";

/** A key that is to be another: which of a command's, and the chord of another command that the person has pressed. */
interface Change {
  readonly command: Command;
  readonly slot: number;
  readonly taken?: string;
}

interface Sheet {
  readonly desk: Desk;
  readonly change: Signal<Change | undefined>;
  /** What the person is told: asked for a key, refused one. */
  readonly said: Signal<string>;
}

const INVITATION = gettext("Choose a key to change it.");
const GROUPS = [...new Set(COMMANDS.map(({ group }) => group))];

export function KeySheet({ work: { desk } }: { work: Work }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const sheet: Sheet = { desk, change: useSignal<Change | undefined>(undefined), said: useSignal(INVITATION) };
  const shown = desk.keysShown.value;
  useEffect(() => {
    if (shown) dialog.current?.showModal();
    else dialog.current?.close();
  }, [shown]);
  const close = () => {
    leave(sheet);
    desk.keysShown.value = false;
  };
  return (
    <dialog
      ref={dialog}
      class="keysheet"
      aria-labelledby="keysheet-title"
      onClose={close}
      onKeyDown={(event) => listen(sheet, event)}
    >
      <header>
        <h2 id="keysheet-title">{gettext("Keys and mouse")}</h2>
        <SingleKeys desk={desk} />
        <button type="button" class="button" disabled={!desk.keys.isChanged()} onClick={() => resetAll(sheet)}>
          {gettext("Reset all keys")}
        </button>
        <button type="button" class="button" onClick={close}>
          {gettext("Close")}
        </button>
        <Said sheet={sheet} />
      </header>
      <div class="groups">
        <Mouse title={gettext("Mouse, pen and touch")} hints={MOUSE} />
        <Mouse title={gettext("Coronal and sagittal plane")} hints={PLANE_MOUSE} />
        {GROUPS.map((group) => (
          <Group key={group} sheet={sheet} name={group} />
        ))}
      </div>
    </dialog>
  );
}

// ------------------------------------------------------------------------------------------ changing a key

function ask({ change, said }: Sheet, command: Command, slot: number): void {
  change.value = { command, slot };
  said.value = gettext("Press the new key for “%(command)s”. Escape leaves it as it is.", { command: command.does });
}

function leave({ change, said }: Sheet): void {
  change.value = undefined;
  said.value = INVITATION;
}

/** While a key is asked for, every press is the answer. */
function listen(sheet: Sheet, event: KeyboardEvent): void {
  const { command, slot, taken } = sheet.change.value ?? {};
  if (!command || slot === undefined || (taken && event.key !== "Escape")) return;
  event.preventDefault();
  if (event.key === "Escape") return leave(sheet);
  if (!event.repeat && !isUnfinished(event)) take(sheet, { command, slot }, chordOf(event));
}

function take(sheet: Sheet, asked: Change, chord: string): void {
  const other = sheet.desk.keys.command(chord);
  const refused = refusal(chord);
  if (refused) sheet.said.value = `${refused} ${gettext("Press another one; Escape leaves it as it is.")}`;
  else if (other && other !== asked.command) {
    sheet.change.value = { ...asked, taken: chord };
    sheet.said.value = gettext("%(key)s is the key of “%(command)s”.", { key: spelled(chord), command: other.does });
  } else give(sheet, asked, chord);
}

function give(sheet: Sheet, { command, slot }: Change, chord: string): void {
  const { keys } = sheet.desk;
  keys.give(command, keys.of(command)[slot], chord);
  leave(sheet);
  sheet.said.value = gettext("“%(command)s” has the key %(key)s now.", { command: command.does, key: spelled(chord) });
}

function reset(sheet: Sheet, command: Command): void {
  sheet.desk.keys.reset(command);
  leave(sheet);
  const keys = sheet.desk.keys.of(command).map(spelled).join(", ");
  sheet.said.value = gettext("“%(command)s” has its first key again: %(keys)s.", { command: command.does, keys });
}

function resetAll(sheet: Sheet): void {
  sheet.desk.keys.resetAll();
  leave(sheet);
  sheet.said.value = gettext("All commands have their first keys again.");
}

/** The answer to a press, and the choice where the key has a command already. */
function Said({ sheet }: { sheet: Sheet }) {
  const change = sheet.change.value;
  const swap = useRef<HTMLButtonElement>(null);
  const taken = change?.taken;
  useLayoutEffect(() => {
    if (taken) swap.current?.focus();
  }, [taken]);
  return (
    <div class="said">
      <p role="status">{sheet.said.value}</p>
      {change && taken && (
        <>
          <button ref={swap} type="button" class="button" onClick={() => give(sheet, change, taken)}>
            {gettext("Swap the two keys")}
          </button>
          <button type="button" class="button" onClick={() => leave(sheet)}>
            {gettext("Leave them")}
          </button>
        </>
      )}
    </div>
  );
}

// ------------------------------------------------------------------------------------------ what is listed

function SingleKeys({ desk }: { desk: Desk }) {
  const { singleKeys } = desk.preferences;
  return (
    <label class="field">
      <input
        type="checkbox"
        checked={singleKeys.value}
        onChange={(event) => {
          singleKeys.value = event.currentTarget.checked;
        }}
      />
      <span>{gettext("Keys without Ctrl are on")}</span>
    </label>
  );
}

function Mouse({ title, hints }: { title: string; hints: readonly Hint[] }) {
  return (
    <section>
      <h3>{title}</h3>
      <dl>
        {hints.map(({ does, keys }) => (
          <div key={does}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** Labels that the project does not have need no key. */
const isOfUse = (command: Command, { assignment }: Desk): boolean =>
  (labelNumber(command) ?? 0) <= assignment.labels.length;

function Group({ sheet, name }: { sheet: Sheet; name: string }) {
  return (
    <section>
      <h3>{name}</h3>
      <dl>
        {COMMANDS.filter((command) => command.group === name && isOfUse(command, sheet.desk)).map((command) => (
          <Entry key={command.id} sheet={sheet} command={command} />
        ))}
      </dl>
    </section>
  );
}

function Entry({ sheet, command }: { sheet: Sheet; command: Command }) {
  const { keys } = sheet.desk;
  const chords = keys.of(command);
  return (
    <div>
      <dt>
        {(chords.length ? chords : [undefined]).map((chord, slot) => (
          <Key key={`${slot}`} sheet={sheet} command={command} slot={slot} chord={chord} />
        ))}
      </dt>
      <dd>
        {command.does}
        {keys.isChanged(command.id) && (
          <button
            type="button"
            aria-label={gettext("Reset the key of “%(command)s”", { command: command.does })}
            onClick={() => reset(sheet, command)}
          >
            {gettext("Reset")}
          </button>
        )}
      </dd>
    </div>
  );
}

interface KeyProps {
  sheet: Sheet;
  command: Command;
  slot: number;
  chord: string | undefined;
}

/** While it is asked for, it is a text field: there screen readers pass every key on. */
function Key({ sheet, command, slot, chord }: KeyProps) {
  const change = sheet.change.value;
  const asked = change?.command === command && change.slot === slot;
  const [field, button] = [useRef<HTMLInputElement>(null), useRef<HTMLButtonElement>(null)];
  const wasAsked = useRef(false);
  useLayoutEffect(() => {
    if (asked) field.current?.focus();
    else if (wasAsked.current && !document.activeElement?.closest("button, input")) button.current?.focus();
    wasAsked.current = asked;
  }, [asked]);
  if (asked)
    return (
      <input
        ref={field}
        class="key"
        aria-label={gettext("New key for “%(command)s”", { command: command.does })}
        placeholder={gettext("press")}
        onBlur={() => sheet.change.value?.taken || leave(sheet)}
      />
    );
  const key = chord === undefined ? gettext("none") : spelled(chord);
  return (
    <button
      ref={button}
      type="button"
      class="key"
      aria-label={gettext("%(key)s: change this key of “%(command)s”", { key, command: command.does })}
      onClick={() => ask(sheet, command, slot)}
    >
      <kbd>{key}</kbd>
    </button>
  );
}
