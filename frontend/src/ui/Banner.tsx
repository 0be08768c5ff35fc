/** What this window is told about others on the same case, and what its person can do about that. */
import { slicesNamed } from "../session/conflict";
import type { Work } from "./context";
import { gettext, ngettext, timeOfDay } from "../words";

export function Banner({ work }: { work: Work }) {
  const { session, progress } = work.desk;
  if (session.conflict.value) return <ConflictBanner work={work} />;
  if (session.connection.value === "connected" && !session.lease.value.mine && !progress.refusal)
    return <LeaseBanner work={work} />;
  return null;
}

/** The person works in another window. */
function LeaseBanner({ work: { desk, viewer } }: { work: Work }) {
  const { session } = desk;
  const waiting = session.waiting.value.length;
  const workHere = () => {
    session.workHere();
    viewer.host.focus();
  };
  return (
    <section class="banner" role="status" aria-label={gettext("Open elsewhere")}>
      <p>
        {whereabouts(session.wasTaken.value, session.lease.value.since)} {gettext("Here you only look on.")}
        {waiting > 0 &&
          ` ${ngettext("%(n)s change made here waits and is kept.", "%(n)s changes made here wait and are kept.", waiting)}`}
      </p>
      <button type="button" class="button primary" onClick={workHere}>
        {session.wasTaken.value ? gettext("Take back") : gettext("Work here")}
      </button>
    </section>
  );
}

function whereabouts(wasTaken: boolean, since: string): string {
  const time = since && timeOfDay(since);
  if (wasTaken)
    return time
      ? gettext("You went on in another window at %(time)s.", { time })
      : gettext("You went on in another window.");
  return time
    ? gettext("You have this case open in another window since %(time)s.", { time })
    : gettext("You have this case open in another window.");
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
    <section class="banner" role="alert" aria-label={gettext("Two versions")}>
      <p>
        {ngettext(
          "The case was changed in another window while %(n)s change made here%(where)s waited.",
          "The case was changed in another window while %(n)s changes made here%(where)s waited.",
          found.changes,
          { where: found.places.length > 0 ? ` (${slicesNamed(found.places)})` : "" },
        )}{" "}
        {gettext("You see the other window’s.")}
      </p>
      <div class="choices">
        <button type="button" class="button" aria-pressed={desk.comparing.value} onClick={() => desk.compare()}>
          {gettext("See the difference")}
        </button>
        <button
          type="button"
          class="button"
          title={gettext("Mine are added after the others, so undo reaches both")}
          onClick={choose(() => session.keepMine())}
        >
          {gettext("Keep mine on top")}
        </button>
        <button
          type="button"
          class="button"
          title={gettext("Mine are thrown away")}
          onClick={choose(() => session.takeTheirs())}
        >
          {gettext("Take theirs")}
        </button>
      </div>
    </section>
  );
}
