/** The sheet of keys, made from the table that the keyboard itself uses. */
import { useEffect, useRef } from "preact/hooks";
import { COMMANDS, type Hint, MOUSE } from "../desk/commands";
import type { Work } from "./context";

/** Nine labels are one line. */
const ENTRIES: readonly Hint[] = [...MOUSE, ...COMMANDS.filter(({ does }) => !/^Label [2-9]$/.test(does))].map(
  (hint) => (hint.does === "Label 1" ? { ...hint, keys: ["1 … 9"], does: "Choose the label" } : hint),
);
const GROUPS = [...new Set(ENTRIES.map(({ group }) => group))];
const SIGNS: Readonly<Record<string, string>> = {
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowLeft: "←",
  ArrowRight: "→",
  Escape: "Esc",
};

export function KeySheet({ work: { desk } }: { work: Work }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const shown = desk.keysShown.value;
  useEffect(() => {
    if (shown) dialog.current?.showModal();
    else dialog.current?.close();
  }, [shown]);
  const close = () => {
    desk.keysShown.value = false;
  };
  const { singleKeys } = desk.preferences;
  return (
    <dialog ref={dialog} class="keysheet" aria-labelledby="keysheet-title" onClose={close}>
      <header>
        <h2 id="keysheet-title">Keys and mouse</h2>
        <label class="field">
          <input
            type="checkbox"
            checked={singleKeys.value}
            onChange={(event) => {
              singleKeys.value = event.currentTarget.checked;
            }}
          />
          <span>Keys without Ctrl are on</span>
        </label>
        <button type="button" class="button" onClick={close}>
          Close
        </button>
      </header>
      <div class="groups">
        {GROUPS.map((group) => (
          <Group key={group} name={group} />
        ))}
      </div>
    </dialog>
  );
}

function Group({ name }: { name: string }) {
  return (
    <section>
      <h3>{name}</h3>
      <dl>
        {ENTRIES.filter(({ group }) => group === name).map(({ does, keys }) => (
          <div key={does}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{spelled(key)}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

const spelled = (chord: string): string =>
  chord
    .split(/(?<=.)\+(?=.)/)
    .map((key) => SIGNS[key] ?? key)
    .join(" ");
