/** The case's state, the buttons that move it on, and the question why. */
import { useEffect, useRef } from "preact/hooks";
import { type MoveName, MOVES, OPEN, STATES } from "../desk/progress";
import { csrfToken } from "../session/csrf";
import { tip, type Work } from "./context";
import { gettext } from "../words";

const MAIN: readonly MoveName[] = ["submit", "accept"];
/** Commands that make a move. */
const KEYS: Partial<Record<MoveName, string>> = { submit: "submit", accept: "submit", return: "return" };

export function CaseProgress({ work: { desk } }: { work: Work }) {
  const { state, moves, revisable } = desk.progress.now.value;
  const keyOf = (move: MoveName) => (KEYS[move] ? desk.keys.name(KEYS[move]) : undefined);
  const isDisabled = desk.progress.isMoving.value || desk.session.saving.value !== "saved";
  return (
    <div class="progress">
      <span class={`state is-${state}`} role="status">
        {STATES[state]}
      </span>
      {moves.map((move) => (
        <button
          key={move}
          type="button"
          class={MAIN.includes(move) ? "button primary" : "button"}
          disabled={isDisabled}
          title={keyOf(move)}
          onClick={() => desk.progress.request(move)}
        >
          {MOVES[move].name}
        </button>
      ))}
      {revisable && (
        <button
          type="button"
          class="button"
          disabled={isDisabled}
          title={tip(gettext("Edit a copy of your own, accepted together with this case"), desk.keys.name("revise"))}
          onClick={() => void desk.progress.revise()}
        >
          {gettext("Edit")}
        </button>
      )}
      {moves.includes("accept") && (
        <a class="button" href={desk.assignment.links.review} title={gettext("The case that has waited the longest")}>
          {gettext("Review next")}
        </a>
      )}
      {!OPEN.includes(state) && !moves.includes("accept") && (
        <form method="post" action={desk.assignment.links.next}>
          <input type="hidden" name="csrfmiddlewaretoken" value={csrfToken()} />
          <button type="submit" class="button">
            {gettext("Next case")}
          </button>
        </form>
      )}
    </div>
  );
}

/** Why the case came back, until it moves on. */
export function Returned({ work: { desk } }: { work: Work }) {
  const { state, reason } = desk.progress.now.value;
  if (!reason || (state !== "returned" && state !== "in_progress")) return null;
  return (
    <section class="warning" aria-label={gettext("Why this case came back")}>
      <p>{gettext("%(state)s by %(person)s: %(text)s", { ...reason, state: STATES[reason.state] })}</p>
    </section>
  );
}

function sendByKey(event: KeyboardEvent & { currentTarget: HTMLTextAreaElement }): void {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.form?.requestSubmit();
}

export function ReasonDialog({ work: { desk, viewer } }: { work: Work }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const text = useRef<HTMLTextAreaElement>(null);
  const { asking } = desk.progress;
  const said = desk.comments.open.value.length;
  const isOptional = asking.value === "return" && said > 0;
  const move = asking.value && MOVES[asking.value];
  useEffect(() => {
    if (move) dialog.current?.showModal();
    else if (dialog.current?.open) dialog.current.close();
  }, [move]);
  const answer = (reason: string | undefined) => {
    desk.progress.answer(reason);
    viewer.host.focus();
  };
  return (
    <dialog
      ref={dialog}
      class="reason"
      aria-labelledby="reason-title"
      onClose={() => asking.value && answer(undefined)}
    >
      {move && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            answer(text.current?.value ?? "");
          }}
        >
          <label id="reason-title" for="reason-text">
            {"asks" in move ? move.asks : ""}
          </label>
          <textarea id="reason-text" ref={text} rows={4} required={!isOptional} onKeyDown={sendByKey} />
          {isOptional && (
            <p class="hint">{gettext("Your open comments (%(n)s) are enough; a word more is welcome.", { n: said })}</p>
          )}
          <div class="presets">
            <button type="submit" class="button primary">
              {move.name}
            </button>
            <button type="button" class="button" onClick={() => answer(undefined)}>
              {gettext("Cancel")}
            </button>
          </div>
        </form>
      )}
    </dialog>
  );
}
