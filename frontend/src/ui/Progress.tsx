/** The case's state, the buttons that move it on, and the question why. */
import { useEffect, useRef } from "preact/hooks";
import { type MoveName, MOVES, OPEN, STATES } from "../desk/progress";
import { csrfToken } from "../session/csrf";
import type { Work } from "./context";

const MAIN: readonly MoveName[] = ["submit", "accept"];

export function CaseProgress({ work: { desk } }: { work: Work }) {
  const { state, moves } = desk.progress.now.value;
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
          title={move === "submit" ? desk.keys.name("submit") : undefined}
          onClick={() => desk.progress.request(move)}
        >
          {MOVES[move].name}
        </button>
      ))}
      {!OPEN.includes(state) && (
        <form method="post" action={desk.assignment.links.next}>
          <input type="hidden" name="csrfmiddlewaretoken" value={csrfToken()} />
          <button type="submit" class="button">
            Next case
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
    <section class="warning" aria-label="Why this case came back">
      <p>
        {STATES[reason.state]} by {reason.person}: {reason.text}
      </p>
    </section>
  );
}

export function ReasonDialog({ work: { desk, viewer } }: { work: Work }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const text = useRef<HTMLTextAreaElement>(null);
  const { asking } = desk.progress;
  const move = asking.value && MOVES[asking.value];
  useEffect(() => {
    if (move) dialog.current?.showModal();
    else if (dialog.current?.open) dialog.current.close();
  }, [move]);
  const answer = (reason: string) => {
    desk.progress.answer(reason);
    viewer.host.focus();
  };
  return (
    <dialog ref={dialog} class="reason" aria-labelledby="reason-title" onClose={() => asking.value && answer("")}>
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
          <textarea id="reason-text" ref={text} rows={4} required />
          <div class="presets">
            <button type="submit" class="button primary">
              {move.name}
            </button>
            <button type="button" class="button" onClick={() => answer("")}>
              Cancel
            </button>
          </div>
        </form>
      )}
    </dialog>
  );
}
