/** Sentences that come and go without asking for an answer, and what is said only to those who listen. */
import type { Work } from "./context";
import { Icon } from "./icons";
import { gettext } from "../words";

export function Notices({ work: { desk } }: { work: Work }) {
  const { notices } = desk.session;
  return (
    <>
      <div class="notices" role="alert">
        {notices.list.value.map(({ id, text, tone }) => (
          <p key={id} class={`notice is-${tone}`}>
            {text}
            <button type="button" aria-label={gettext("Dismiss")} onClick={() => notices.dismiss(id)}>
              <Icon name="close" />
            </button>
          </p>
        ))}
      </div>
      <p class="unseen" aria-live="polite">
        {desk.announcement.value}
      </p>
    </>
  );
}
