/** What this window is told about others on the same case, and what its person can do about that. */
import { slicesNamed } from "../session/conflict";
import type { Work } from "./context";

export function Banner({ work }: { work: Work }) {
  const { session, progress } = work.desk;
  if (session.conflict.value) return <ConflictBanner work={work} />;
  if (session.connection.value === "connected" && !session.lease.value.mine && !progress.refusal)
    return <LeaseBanner work={work} />;
  return null;
}

const time = (iso: string) => new Date(iso).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
const changes = (n: number) => (n === 1 ? "1 change" : `${n} changes`);

/** The person works in another window. */
function LeaseBanner({ work: { desk, viewer } }: { work: Work }) {
  const { session } = desk;
  const { since } = session.lease.value;
  const when = since && time(since);
  const where = session.wasTaken.value
    ? `You went on in another window${when && ` at ${when}`}.`
    : `You have this case open in another window${when && ` since ${when}`}.`;
  const waiting = session.waiting.value.length;
  const workHere = () => {
    session.workHere();
    viewer.host.focus();
  };
  return (
    <section class="banner" role="status" aria-label="Open elsewhere">
      <p>
        {where} Here you only look on.
        {waiting > 0 && ` ${changes(waiting)} made here wait and are kept.`}
      </p>
      <button type="button" class="button primary" onClick={workHere}>
        {session.wasTaken.value ? "Take back" : "Work here"}
      </button>
    </section>
  );
}

/** Another window has changed the case that changes made here were made on. */
function ConflictBanner({ work: { desk, viewer } }: { work: Work }) {
  const { session } = desk;
  const found = session.conflict.value;
  if (!found) return null;
  const choose = (run: () => void) => () => {
    run();
    desk.comparing.value = false;
    viewer.host.focus();
  };
  return (
    <section class="banner" role="alert" aria-label="Two versions">
      <p>
        The case was changed in another window while {changes(found.changes)} made here
        {found.places.length > 0 && ` (${slicesNamed(found.places)})`} waited. You see the other window’s.
      </p>
      <div class="choices">
        <button type="button" class="button" aria-pressed={desk.comparing.value} onClick={() => desk.compare()}>
          See the difference
        </button>
        <button
          type="button"
          class="button"
          title="Mine are added after the others, so undo reaches both"
          onClick={choose(() => session.keepMine())}
        >
          Keep mine on top
        </button>
        <button type="button" class="button" title="Mine are thrown away" onClick={choose(() => session.takeTheirs())}>
          Take theirs
        </button>
      </div>
    </section>
  );
}
