/** Two readings of a case: which line is whose, which to take, and where nobody has decided yet. */
import { type Adjudication, COLOURS } from "../desk/adjudication";
import { commandNamed } from "../desk/keys";
import { tip, type Work } from "./context";
import { decimal, gettext, ngettext } from "../words";

export function AdjudicationPanel({ work }: { work: Work }) {
  const { adjudication } = work.desk;
  if (!adjudication) return null;
  return (
    <section class="adjudication" aria-label={gettext("Two readings")}>
      <Legend adjudication={adjudication} />
      <Choices work={work} adjudication={adjudication} />
      <Differences work={work} adjudication={adjudication} />
    </section>
  );
}

function Legend({ adjudication: { people, undecided } }: { adjudication: Adjudication }) {
  const left = undecided.value.size;
  return (
    <>
      <h2>
        {gettext("Two readings")}{" "}
        <span class="count">{left ? gettext("%(n)s undecided", { n: left }) : gettext("all decided")}</span>
      </h2>
      <ul class="legend">
        <li>
          <Line colour={COLOURS.first} /> {people[0]}
        </li>
        <li>
          <Line colour={COLOURS.second} dashes="5 4" /> {people[1]}
        </li>
        <li>
          <svg viewBox="0 0 24 12" aria-hidden="true">
            <rect width="24" height="12" fill={COLOURS.difference} opacity="0.6" />
          </svg>{" "}
          {gettext("only one of them")}
        </li>
      </ul>
    </>
  );
}

function Line({ colour, dashes }: { colour: string; dashes?: string }) {
  return (
    <svg viewBox="0 0 24 12" aria-hidden="true">
      <path d="M0 6h24" stroke={colour} stroke-width="3" stroke-dasharray={dashes} />
    </svg>
  );
}

function Choices({ work, adjudication }: { work: Work; adjudication: Adjudication }) {
  const { desk } = work;
  const { people } = adjudication;
  const { id, name } = desk.label.value;
  const left = adjudication.undecidedOf(id).length;
  return (
    <>
      <h3>{gettext("Take for %(label)s on this slice", { label: name })}</h3>
      <div class="edits">
        <Take work={work} id="take-first" name={people[0]} />
        <Take work={work} id="take-second" name={people[1]} />
        <Take work={work} id="take-union" name={gettext("Either")} />
        <Take work={work} id="take-intersection" name={gettext("Both")} />
      </div>
      {left > 1 && (
        <>
          <h3>{gettext("On all %(n)s undecided slices", { n: left })}</h3>
          <div class="edits">
            <Take work={work} id="rest-first" name={people[0]} />
            <Take work={work} id="rest-second" name={people[1]} />
          </div>
        </>
      )}
    </>
  );
}

function Take({ work: { desk, viewer }, id, name }: { work: Work; id: string; name: string }) {
  const command = commandNamed(id);
  const run = () => {
    command.run(desk, viewer);
    viewer.host.focus();
  };
  return (
    <button
      type="button"
      title={tip(command.does, desk.keys.name(id))}
      disabled={desk.progress.refusal !== undefined}
      onClick={run}
    >
      <span>
        {name}
        <span class="unseen">: {command.does}</span>
      </span>
      <kbd>{desk.keys.name(id)}</kbd>
    </button>
  );
}

function Differences({ work: { desk, viewer }, adjudication }: { work: Work; adjudication: Adjudication }) {
  const { id, name } = desk.label.value;
  const slices = adjudication.of(id);
  const go = (z: number) => {
    desk.goTo(z);
    viewer.host.focus();
  };
  return (
    <>
      <h3>
        {slices.length
          ? ngettext(
              "%(label)s differs on %(n)s slice, the worst first",
              "%(label)s differs on %(n)s slices, the worst first",
              slices.length,
              { label: name },
            )
          : gettext("Both agree on %(label)s", { label: name })}
        {adjudication.undecided.value.size > 0 && <Next desk={desk} />}
      </h3>
      <ol class="differences">
        {slices.map(({ z, dice }) => {
          const waits = adjudication.isUndecided({ label: id, z });
          return (
            <li key={z}>
              <button
                type="button"
                class={waits ? "difference" : "difference is-decided"}
                aria-current={z === desk.z.value ? "location" : undefined}
                onClick={() => go(z)}
              >
                <span>{gettext("Slice %(z)s", { z: z + 1 })}</span>
                <span>Dice {decimal(dice, 2)}</span>
                <span>{waits ? gettext("undecided") : gettext("decided")}</span>
              </button>
            </li>
          );
        })}
      </ol>
    </>
  );
}

function Next({ desk }: { desk: Work["desk"] }) {
  return (
    <button type="button" title={commandNamed("next-undecided").does} onClick={() => desk.goToUndecided()}>
      {gettext("Next")} <kbd>{desk.keys.name("next-undecided")}</kbd>
    </button>
  );
}
