/** Labels, how things are shown, the clicks of this slice, and what the project says. */
import { useComputed } from "@preact/signals";
import type { Label } from "../desk/assignment";
import { type Desk, isPaintTool } from "../desk/desk";
import { named } from "../desk/history";
import { labelCommand } from "../desk/commands";
import { commandNamed, spelled } from "../desk/keys";
import { areaMm2, greyUnder, volumeMl } from "../desk/measures";
import { verdict } from "../desk/quality";
import type { Mask } from "../protocol/mask";
import { type Preset, PRESETS } from "../viewer/window";
import { AdjudicationPanel } from "./Adjudication";
import { Comments } from "./Comments";
import { tip, type Work } from "./context";
import { Icon } from "./icons";
import { Returned } from "./Progress";
import { dayAndTime, decimal, gettext, ngettext, pgettext } from "../words";

export function SidePanel({ work }: { work: Work }) {
  const isForLooking = work.desk.progress.refusal !== undefined;
  return (
    <aside class="side" aria-label={gettext("Labels and display")}>
      <Returned work={work} />
      <Warnings work={work} />
      <AdjudicationPanel work={work} />
      <Labels work={work} />
      <Comments work={work} />
      <Clicks work={work} />
      {!isForLooking && <Edit work={work} />}
      {!isForLooking && <Propagate work={work} />}
      <Measures work={work} />
      <HistoryList work={work} />
      <Display work={work} />
      <Windows work={work} />
      <Guidelines work={work} />
    </aside>
  );
}

function Warnings({ work: { desk } }: { work: Work }) {
  const { warnings } = desk.assignment.series;
  if (warnings.length === 0) return null;
  return (
    <section class="warning" aria-label={gettext("About this series")}>
      {warnings.map((warning) => (
        <p key={warning}>{warning}</p>
      ))}
    </section>
  );
}

function Labels({ work }: { work: Work }) {
  const { labels } = work.desk.assignment;
  return (
    <section>
      <fieldset class="labels">
        <legend>{gettext("Labels")}</legend>
        {labels.map((label, i) => (
          <LabelRow key={label.id} work={work} label={label} number={i + 1} />
        ))}
      </fieldset>
    </section>
  );
}

function LabelRow({ work: { desk, viewer }, label, number }: { work: Work; label: Label; number: number }) {
  const slices = useComputed(() => desk.slicesWithMask(label).length).value;
  const visible = !desk.hidden.value.has(label.id);
  const locked = desk.session.locked.value.has(label.id);
  const { keys } = desk;
  const [key] = keys.of(commandNamed(labelCommand(number)));
  return (
    <div class={desk.label.value === label ? "label is-chosen" : "label"}>
      <label>
        <input
          type="radio"
          name="label"
          checked={desk.label.value === label}
          onChange={() => desk.selectLabel(label)}
          onPointerUp={() => setTimeout(() => viewer.host.focus())}
        />
        <i class="swatch" style={{ background: label.colour }} aria-hidden="true" />
        <span class="name">{label.name}</span>
        <span class="count" title={gettext("Slices with a mask")}>
          {slices || ""}
        </span>
        {key && <kbd>{spelled(key)}</kbd>}
      </label>
      <button
        type="button"
        class={locked ? "lock is-locked" : "lock"}
        aria-pressed={locked}
        aria-label={gettext("Lock %(label)s", { label: label.name })}
        title={
          locked
            ? tip(gettext("Unlock"), keys.name("lock"))
            : gettext("Lock (%(key)s): nothing changes its masks", { key: keys.name("lock") })
        }
        onClick={() => desk.toggleLock(label)}
      >
        <Icon name={locked ? "lock" : "unlock"} />
      </button>
      <button
        type="button"
        class="eye"
        aria-pressed={visible}
        aria-label={gettext("Show %(label)s", { label: label.name })}
        title={tip(visible ? gettext("Hide") : gettext("Show"), keys.name("hide"))}
        onClick={() => desk.setVisible(label, !visible)}
      >
        <Icon name={visible ? "eye" : "eyeOff"} />
      </button>
    </div>
  );
}

const VERDICTS = { good: gettext("good"), check: gettext("look again"), doubtful: gettext("doubtful") } as const;

/** A word beside the colour, for those who do not see it. */
function Quality({ mask }: { mask: Mask | undefined }) {
  const found = mask && verdict(mask);
  if (!found) return null;
  const [dice, words] = [decimal(mask.quality ?? 0, 2), VERDICTS[found]];
  return (
    <p class={`quality is-${found}`} title={gettext("What the model expects of its own mask (Dice)")}>
      <i aria-hidden="true" /> {gettext("Estimated %(dice)s, %(words)s", { dice, words })}
    </p>
  );
}

function Clicks({ work: { desk } }: { work: Work }) {
  const clicks = desk.clicks.value;
  return (
    <section>
      <h2>
        {gettext("Clicks on this slice")} <span class="count">{clicks.length || gettext("none")}</span>
      </h2>
      <ul class="clicks">
        {clicks.map((click, i) => (
          <li key={click.id}>
            <button
              type="button"
              class={click.id === desk.selected.value ? "click is-selected" : "click"}
              aria-pressed={click.id === desk.selected.value}
              aria-label={gettext("Click %(n)s, %(kind)s, column %(x)s, row %(y)s", {
                n: i + 1,
                x: click.x,
                y: click.y,
                kind: click.positive ? gettext("foreground") : gettext("background"),
              })}
              title={`x ${click.x} y ${click.y}. ${gettext("%(key)s removes it.", { key: desk.keys.name("delete-click") })}`}
              onClick={() => {
                desk.selected.value = click.id;
              }}
            >
              <i class={`mark ${click.positive ? "is-foreground" : "is-background"}`}>{click.positive ? "+" : "−"}</i>
            </button>
          </li>
        ))}
      </ul>
      <Quality mask={desk.session.masks.at(desk.place.value)} />
    </section>
  );
}

/** Commands, and what their buttons say. */
const EDITS = {
  fill: gettext("Fill holes"),
  largest: gettext("Keep largest"),
  grow: gettext("Grow 1 mm"),
  shrink: gettext("Shrink 1 mm"),
  "copy-above": gettext("Copy above"),
  "copy-below": gettext("Copy below"),
  clear: gettext("Clear slice"),
};
const WAYS = {
  "propagate-up": gettext("Up"),
  "propagate-down": gettext("Down"),
  "propagate-both": gettext("Both"),
  "fill-between": pgettext("between slices", "Fill"),
};

/** A command for those who do not use keys; the canvas has the focus afterwards. */
function CommandButton({
  work: { desk, viewer },
  name,
  id,
  style,
}: {
  work: Work;
  name: string;
  id: string;
  style?: string;
}) {
  const run = () => {
    commandNamed(id).run(desk, viewer);
    viewer.host.focus();
  };
  return (
    <button type="button" class={style} title={tip(name, desk.keys.name(id))} onClick={run}>
      {name}
    </button>
  );
}

function Edit({ work }: { work: Work }) {
  const { desk } = work;
  const tool = desk.tool.value;
  return (
    <section>
      <h2>{gettext("Edit this slice")}</h2>
      {isPaintTool(tool) && tool !== "lasso" && <BrushSize desk={desk} />}
      {tool === "threshold" && <GreyRange desk={desk} />}
      <div class="edits">
        {Object.entries(EDITS).map(([id, name]) => (
          <CommandButton key={id} work={work} name={name} id={id} />
        ))}
      </div>
    </section>
  );
}

function Propagate({ work }: { work: Work }) {
  const { desk, viewer } = work;
  const progress = desk.propagation.progress.value;
  const waiting = desk.unconfirmedSlices(desk.label.value).length;
  const stop = () => {
    desk.propagation.stop();
    viewer.host.focus();
  };
  return (
    <section>
      <h2>
        {gettext("Propagate")} <span class="count">{waiting ? gettext("%(n)s unconfirmed", { n: waiting }) : ""}</span>
      </h2>
      {progress ? (
        <div class="field" role="status">
          <span>
            {progress.direction > 0
              ? ngettext("%(n)s slice, going up …", "%(n)s slices, going up …", progress.slices)
              : ngettext("%(n)s slice, going down …", "%(n)s slices, going down …", progress.slices)}
          </span>
          <button type="button" onClick={stop}>
            {gettext("Stop")}
          </button>
        </div>
      ) : (
        <div class="presets">
          {Object.entries(WAYS).map(([id, name]) => (
            <CommandButton key={id} work={work} name={name} id={id} />
          ))}
        </div>
      )}
      {desk.isUnconfirmed(desk.label.value, desk.z.value) && (
        <CommandButton work={work} name={gettext("Accept this slice")} id="accept" style="accept" />
      )}
    </section>
  );
}

function BrushSize({ desk }: { desk: Desk }) {
  const { brushMm } = desk.preferences;
  const radius = decimal(brushMm.value, Number.isInteger(brushMm.value) ? 0 : 1);
  return (
    <label class="field">
      <span>{gettext("Brush radius")}</span>
      <input
        type="range"
        min={0.5}
        max={30}
        step={0.5}
        value={brushMm.value}
        aria-valuetext={gettext("%(mm)s millimetres", { mm: radius })}
        title={gettext("%(one)s and %(other)s", { one: desk.keys.name("thinner"), other: desk.keys.name("thicker") })}
        onInput={(event) => {
          brushMm.value = event.currentTarget.valueAsNumber;
        }}
      />
      <output>{radius} mm</output>
    </label>
  );
}

function GreyRange({ desk }: { desk: Desk }) {
  const { range } = desk.preferences;
  const limit = (end: "low" | "high", name: string) => (
    <input
      type="number"
      step={5}
      aria-label={name}
      value={range.value[end]}
      onChange={(event) => {
        const value = event.currentTarget.valueAsNumber;
        if (Number.isFinite(value)) range.value = { ...range.value, [end]: Math.round(value) };
      }}
    />
  );
  return (
    <div class="field">
      <span>{gettext("Paints only")}</span>
      {limit("low", gettext("Lowest HU to paint"))}–{limit("high", gettext("Highest HU to paint"))} HU
    </div>
  );
}

const figure = (value: number) => decimal(value, value < 10 ? 2 : value < 100 ? 1 : 0);

function Measures({ work: { desk } }: { work: Work }) {
  const { series, links } = desk.assignment;
  const here = desk.maskHere.value;
  const grey = here && desk.slice.value && greyUnder(here, desk.slice.value);
  return (
    <section class="measures">
      <h2>
        {gettext("Measures")} <a href={links.measures}>CSV</a>
      </h2>
      <dl>
        <div>
          <dt>{gettext("Area on this slice")}</dt>
          <dd>{grey ? `${figure(areaMm2(here, series) / 100)} cm²` : "–"}</dd>
        </div>
        <div>
          <dt>{gettext("Mean ± SD")}</dt>
          <dd>{grey ? `${decimal(grey.mean, 0)} ± ${decimal(grey.sd, 0)} HU`.replace("-", "−") : "–"}</dd>
        </div>
        <div>
          <dt>{gettext("Volume")}</dt>
          <dd>{figure(volumeMl(desk.labelMasks(), series))} ml</dd>
        </div>
      </dl>
    </section>
  );
}

function HistoryList({ work: { desk } }: { work: Work }) {
  const { history, assignment } = desk;
  const { steps, older, in_force } = history.listed.value;
  const [count, last] = [older + steps.length, in_force - older - 1];
  const nameOf = (id: number) => assignment.labels.find((label) => label.id === id)?.name ?? "";
  return (
    <section>
      <details
        class="history"
        onToggle={(event) => {
          history.isOpen.value = event.currentTarget.open;
        }}
      >
        <summary>{gettext("History")}</summary>
        <button type="button" title={desk.keys.name("replay")} onClick={() => void history.replay(desk.place.value)}>
          {gettext("Replay this mask")}
        </button>
        <ol reversed start={count} style={{ paddingLeft: `${String(count).length + 1.5}ch` }}>
          {steps
            .map((step, i) => (
              <li key={step.sequence} class={step.in_force ? "" : "is-undone"}>
                <button
                  type="button"
                  class="past"
                  aria-current={i === last ? "step" : undefined}
                  title={`${step.person}, ${dayAndTime(step.at)}`}
                  onClick={() => desk.goToStep(step)}
                >
                  {named(step)}
                  <span>
                    {gettext("%(label)s, slice %(z)s", { label: nameOf(step.slice.label), z: step.slice.z + 1 })}
                  </span>
                </button>
              </li>
            ))
            .reverse()}
        </ol>
        {older > 0 && (
          <button type="button" onClick={() => void history.showOlder()}>
            {gettext("Older steps (%(n)s)", { n: older })}
          </button>
        )}
        <button type="button" disabled={in_force === 0} onClick={() => desk.goToStep(undefined)}>
          {gettext("Back to the beginning")}
        </button>
      </details>
    </section>
  );
}

function Display({ work: { desk } }: { work: Work }) {
  const { opacity, outlined, smooth } = desk.preferences;
  return (
    <section>
      <h2>{gettext("Display")}</h2>
      <label class="field">
        <span>{pgettext("of a mask", "Fill")}</span>
        <input
          type="range"
          min={0}
          max={100}
          step={5}
          value={opacity.value * 100}
          aria-valuetext={gettext("%(n)s percent", { n: Math.round(opacity.value * 100) })}
          onInput={(event) => {
            opacity.value = event.currentTarget.valueAsNumber / 100;
          }}
        />
        <output>{Math.round(opacity.value * 100)} %</output>
      </label>
      <Switch
        name={gettext("Outline")}
        keys={desk.keys.name("outline")}
        checked={outlined.value}
        set={(on) => {
          outlined.value = on;
        }}
      />
      <Switch
        name={gettext("All masks")}
        keys={desk.keys.name("hide-all")}
        checked={!desk.masksHidden.value}
        set={(on) => {
          desk.masksHidden.value = !on;
        }}
      />
      <Switch
        name={gettext("Smooth image")}
        keys={desk.keys.name("smooth")}
        checked={smooth.value}
        set={(on) => {
          smooth.value = on;
        }}
      />
    </section>
  );
}

function Switch({
  name,
  keys,
  checked,
  set,
}: {
  name: string;
  keys: string;
  checked: boolean;
  set: (on: boolean) => void;
}) {
  return (
    <label class="field">
      <input type="checkbox" checked={checked} onChange={(event) => set(event.currentTarget.checked)} />
      <span>{name}</span>
      <kbd>{keys}</kbd>
    </label>
  );
}

function Windows({ work: { desk, viewer } }: { work: Work }) {
  const { width, level } = desk.greyWindow.value;
  const apply = (run: () => void) => () => {
    run();
    viewer.host.focus();
  };
  return (
    <section>
      <h2>{gettext("Window")}</h2>
      <div class="presets">
        {desk.presets.map((preset, i) => (
          <button
            key={`${i} ${preset.name}`}
            type="button"
            aria-pressed={preset.width === width && preset.level === level}
            title={described(preset, i < PRESETS.length ? desk.keys.name(`preset-${i + 1}`) : "")}
            onClick={apply(() => desk.applyPreset(i))}
          >
            {preset.name}
          </button>
        ))}
        <button
          type="button"
          title={tip(gettext("From the values of this slice"), desk.keys.name("auto-window"))}
          onClick={apply(() => desk.applyAutoWindow())}
        >
          {gettext("Auto")}
        </button>
      </div>
    </section>
  );
}

function described({ width, level }: Preset, key: string): string {
  const text = gettext("Width %(width)s, level %(level)s", { width, level });
  return key ? tip(text, key) : text;
}

/** The server makes HTML of the project's Markdown, and lets none of its writers' own through. */
function Guidelines({ work: { desk } }: { work: Work }) {
  const { guidelines } = desk.assignment.project;
  if (!guidelines.trim()) return null;
  return (
    <section class="guidelines">
      <h2>{gettext("Guidelines")}</h2>
      <div class="prose" dangerouslySetInnerHTML={{ __html: guidelines }} />
    </section>
  );
}
