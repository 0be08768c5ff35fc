/** Whose case, whether the work is safe, and how fast the answers are. */
import type { Session } from "../session/session";
import type { Work } from "./context";
import { Icon } from "./icons";
import { CaseProgress } from "./Progress";
import { dayAndTime, decimal, gettext, interpolate, ngettext, timeOfDay } from "../words";

export function TopBar({ work }: { work: Work }) {
  const { desk } = work;
  const { project, series, links } = desk.assignment;
  return (
    <header class="topbar">
      <a class="home" href={links.home} title={gettext("Back to my work")}>
        <span aria-hidden="true">‹ </span>
        {project.name}
      </a>
      <h1 title={series.description}>{series.description || gettext("Untitled series")}</h1>
      <div class="states">
        <Speed session={desk.session} />
        <Inference session={desk.session} />
        <Connection session={desk.session} />
        <SaveState session={desk.session} />
      </div>
      <CaseProgress work={work} />
      <People work={work} />
      <a class="button" href={links.export}>
        {gettext("Export")}
      </a>
      <Bell href={links.notices} />
    </header>
  );
}

/** `pages/notices.ts` writes the count, as on every other page. */
function Bell({ href }: { href: string }) {
  return (
    <a class="bell" href={href} title={gettext("Notices")}>
      <Icon name="bell" />
      <span class="unseen">{gettext("Notices")}</span>
      <span class="count" data-unseen hidden />
    </a>
  );
}

/** What somebody's work is called, and in full. */
const KINDS = {
  reading: [gettext("by %(person)s"), gettext("Whose work this is")],
  revision: [gettext("revision by %(person)s"), gettext("A revision by %(person)s")],
  adjudication: [gettext("adjudication by %(person)s"), gettext("An adjudication by %(person)s")],
} as const;

/** Whose work this is, whether they have it open just now, and who looks at it. */
function People({ work: { desk } }: { work: Work }) {
  const { person, reader, kind } = desk.assignment;
  const { mine, person: holder, since } = desk.session.lease.value;
  const [name, title] = KINDS[kind].map((text) => interpolate(text, { person }));
  const isOpen = !mine && holder !== "" && holder !== reader;
  return (
    <span class="people">
      {(person !== reader || kind !== "reading") && (
        <span class="state owner" title={title}>
          {name}
        </span>
      )}
      {isOpen && (
        <span
          class="state is-warning"
          title={gettext("Open by %(holder)s since %(time)s", { holder, time: dayAndTime(since) })}
        >
          {gettext("open by %(holder)s since %(time)s", { holder, time: timeOfDay(since) })}
        </span>
      )}
      <span class="person" title={gettext("Logged in as %(reader)s", { reader })}>
        <Icon name="person" />
        {reader}
      </span>
    </span>
  );
}

const ms = (value: number) => decimal(value, value < 9.95 ? 1 : 0);

function Speed({ session: { timing, model } }: { session: Session }) {
  const answer = timing.lastAnswer.value;
  if (!answer) return null;
  const { networkMs, totalMs, roundTripMs } = answer;
  const rate = timing.rate.value;
  const [network, server, click] = [ms(networkMs), ms(totalMs), ms(roundTripMs)];
  return (
    <span
      class="state speed"
      title={gettext(
        "Last answer by %(model)s: network %(network)s ms, server %(server)s ms, click to mask %(click)s ms",
        { model: model.value, network, server, click },
      )}
    >
      <b>{click} ms</b>
      <span class="detail">{gettext("network %(network)s · server %(server)s", { network, server })}</span>
      {rate !== undefined && <b>{gettext("%(rate)s masks/s", { rate: decimal(rate, 0) })}</b>}
    </span>
  );
}

function Inference({ session }: { session: Session }) {
  if (session.connection.value !== "connected" || session.inference.value === "ready") return null;
  return (
    <span class="state is-warning" role="status">
      {gettext("No masks now: inference is away")}
    </span>
  );
}

const changes = (n: number) => ngettext("%(n)s change waiting", "%(n)s changes waiting", n);

function Connection({ session }: { session: Session }) {
  const state = session.connection.value;
  const waiting = session.waiting.value.length;
  const more = waiting ? `: ${changes(waiting)}` : "";
  const text = {
    connecting: gettext("Connecting…"),
    connected: "",
    reconnecting: `${gettext("Reconnecting")}${more}`,
    offline: `${gettext("Offline")}${more}`,
    ended: gettext("Disconnected: log in again"),
  };
  return (
    <span class={`state connection is-${state === "connected" ? "good" : "warning"}`} role="status">
      <i class="dot" aria-hidden="true" />
      {state === "connected" ? <span class="detail">{gettext("Connected")}</span> : text[state]}
    </span>
  );
}

function SaveState({ session }: { session: Session }) {
  const text = {
    saved: gettext("Saved ✓"),
    saving: session.inference.value === "away" ? gettext("Clicks saved ✓") : gettext("Saving…"),
    unsaved: gettext("Not saved"),
  };
  const state = session.saving.value;
  return (
    <span class={`state saving is-${state === "unsaved" ? "warning" : state === "saved" ? "good" : "plain"}`}>
      {text[state]}
    </span>
  );
}
