/** Whose case, whether the work is safe, and how fast the answers are. */
import type { Session } from "../session/session";
import type { Work } from "./context";
import { Icon } from "./icons";
import { CaseProgress } from "./Progress";

export function TopBar({ work }: { work: Work }) {
  const { desk } = work;
  const { project, series, links } = desk.assignment;
  return (
    <header class="topbar">
      <a class="home" href={links.home} title="Back to my work">
        <span aria-hidden="true">‹ </span>
        {project.name}
      </a>
      <h1 title={series.description}>{series.description || "Untitled series"}</h1>
      <div class="states">
        <Speed session={desk.session} />
        <Inference session={desk.session} />
        <Connection session={desk.session} />
        <SaveState session={desk.session} />
      </div>
      <CaseProgress work={work} />
      <People work={work} />
      <a class="button" href={links.export}>
        Export
      </a>
      <Bell href={links.notices} />
    </header>
  );
}

/** `pages/notices.ts` writes the count, as on every other page. */
function Bell({ href }: { href: string }) {
  return (
    <a class="bell" href={href} title="Notices">
      <Icon name="bell" />
      <span class="unseen">Notices</span>
      <span class="count" data-unseen hidden />
    </a>
  );
}

const KINDS = { reading: "", check: "", revision: "revision", adjudication: "adjudication" } as const;

/** Whose work this is, whether they have it open just now, and who looks at it. */
function People({ work: { desk } }: { work: Work }) {
  const { person, reader, kind } = desk.assignment;
  const { mine, person: holder, since } = desk.session.lease.value;
  const isOpen = !mine && holder !== "" && holder !== reader;
  return (
    <span class="people">
      {(person !== reader || KINDS[kind]) && (
        <span class="state owner" title={KINDS[kind] ? `A ${KINDS[kind]} by ${person}` : "Whose work this is"}>
          {KINDS[kind] ? `${KINDS[kind]} by ${person}` : `by ${person}`}
        </span>
      )}
      {isOpen && (
        <span class="state is-warning" title={`Open by ${holder} since ${new Date(since).toLocaleString()}`}>
          open by {holder} since {new Date(since).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}
        </span>
      )}
      <span class="person" title={`Logged in as ${reader}`}>
        <Icon name="person" />
        {reader}
      </span>
    </span>
  );
}

const ms = (value: number) => (value < 9.95 ? value.toFixed(1) : value.toFixed(0));

function Speed({ session: { timing, model } }: { session: Session }) {
  const answer = timing.lastAnswer.value;
  if (!answer) return null;
  const { networkMs, totalMs, roundTripMs } = answer;
  const rate = timing.rate.value;
  return (
    <span
      class="state speed"
      title={`Last answer by ${model.value}: network ${ms(networkMs)} ms, server ${ms(totalMs)} ms, click to mask ${ms(roundTripMs)} ms`}
    >
      <b>{ms(roundTripMs)} ms</b>
      <span class="detail">
        network {ms(networkMs)} · server {ms(totalMs)}
      </span>
      {rate !== undefined && <b>{rate.toFixed(0)} masks/s</b>}
    </span>
  );
}

function Inference({ session }: { session: Session }) {
  if (session.connection.value !== "connected" || session.inference.value === "ready") return null;
  return (
    <span class="state is-warning" role="status">
      No masks now: inference is away
    </span>
  );
}

const changes = (n: number) => `${n} ${n === 1 ? "change" : "changes"} waiting`;

function Connection({ session }: { session: Session }) {
  const state = session.connection.value;
  const waiting = session.waiting.value.length;
  const more = waiting ? `: ${changes(waiting)}` : "";
  const text = {
    connecting: "Connecting…",
    connected: "",
    reconnecting: `Reconnecting${more}`,
    offline: `Offline${more}`,
    ended: "Disconnected: log in again",
  };
  return (
    <span class={`state connection is-${state === "connected" ? "good" : "warning"}`} role="status">
      <i class="dot" aria-hidden="true" />
      {state === "connected" ? <span class="detail">Connected</span> : text[state]}
    </span>
  );
}

function SaveState({ session }: { session: Session }) {
  const text = {
    saved: "Saved ✓",
    saving: session.inference.value === "away" ? "Clicks saved ✓" : "Saving…",
    unsaved: "Not saved",
  };
  const state = session.saving.value;
  return (
    <span class={`state saving is-${state === "unsaved" ? "warning" : state === "saved" ? "good" : "plain"}`}>
      {text[state]}
    </span>
  );
}
