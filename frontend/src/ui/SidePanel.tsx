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
import { PRESETS } from "../viewer/window";
import { AdjudicationPanel } from "./Adjudication";
import { Comments } from "./Comments";
import type { Work } from "./context";
import { Icon } from "./icons";
import { Returned } from "./Progress";

export function SidePanel({ work }: { work: Work }) {
  const isForLooking = work.desk.progress.refusal !== undefined;
  return (
    <aside class="side" aria-label="Labels and display">
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
    <section class="warning" aria-label="About this series">
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
        <legend>Labels</legend>
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
        <span class="count" title="Slices with a mask">
          {slices || ""}
        </span>
        {key && <kbd>{spelled(key)}</kbd>}
      </label>
      <button
        type="button"
        class={locked ? "lock is-locked" : "lock"}
        aria-pressed={locked}
        aria-label={`Lock ${label.name}`}
        title={locked ? `Unlock (${keys.name("lock")})` : `Lock (${keys.name("lock")}): nothing changes its masks`}
        onClick={() => desk.toggleLock(label)}
      >
        <Icon name={locked ? "lock" : "unlock"} />
      </button>
      <button
        type="button"
        class="eye"
        aria-pressed={visible}
        aria-label={`Show ${label.name}`}
        title={`${visible ? "Hide" : "Show"} (${keys.name("hide")})`}
        onClick={() => desk.setVisible(label, !visible)}
      >
        <Icon name={visible ? "eye" : "eyeOff"} />
      </button>
    </div>
  );
}

const VERDICTS = { good: "good", check: "look again", doubtful: "doubtful" } as const;

/** A word beside the colour, for those who do not see it. */
function Quality({ mask }: { mask: Mask | undefined }) {
  const found = mask && verdict(mask);
  if (!found) return null;
  return (
    <p class={`quality is-${found}`} title="What the model expects of its own mask (Dice)">
      <i aria-hidden="true" /> Estimated {mask.quality?.toFixed(2)}, {VERDICTS[found]}
    </p>
  );
}

function Clicks({ work: { desk } }: { work: Work }) {
  const clicks = desk.clicks.value;
  return (
    <section>
      <h2>
        Clicks on this slice <span class="count">{clicks.length || "none"}</span>
      </h2>
      <ul class="clicks">
        {clicks.map((click, i) => (
          <li key={click.id}>
            <button
              type="button"
              class={click.id === desk.selected.value ? "click is-selected" : "click"}
              aria-pressed={click.id === desk.selected.value}
              aria-label={`Click ${i + 1}, ${click.positive ? "foreground" : "background"}, column ${click.x}, row ${click.y}`}
              title={`x ${click.x} y ${click.y}. ${desk.keys.name("delete-click")} removes it.`}
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

/** Commands, by what their buttons say. */
const EDITS = {
  "Fill holes": "fill",
  "Keep largest": "largest",
  "Grow 1 mm": "grow",
  "Shrink 1 mm": "shrink",
  "Copy above": "copy-above",
  "Copy below": "copy-below",
  "Clear slice": "clear",
};
const WAYS = { Up: "propagate-up", Down: "propagate-down", Both: "propagate-both", Fill: "fill-between" };

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
    <button type="button" class={style} title={`${name} (${desk.keys.name(id)})`} onClick={run}>
      {name}
    </button>
  );
}

function Edit({ work }: { work: Work }) {
  const { desk } = work;
  const tool = desk.tool.value;
  return (
    <section>
      <h2>Edit this slice</h2>
      {isPaintTool(tool) && tool !== "lasso" && <BrushSize desk={desk} />}
      {tool === "threshold" && <GreyRange desk={desk} />}
      <div class="edits">
        {Object.entries(EDITS).map(([name, id]) => (
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
        Propagate <span class="count">{waiting ? `${waiting} unconfirmed` : ""}</span>
      </h2>
      {progress ? (
        <div class="field" role="status">
          <span>
            {progress.slices} slices, going {progress.direction > 0 ? "up" : "down"} …
          </span>
          <button type="button" onClick={stop}>
            Stop
          </button>
        </div>
      ) : (
        <div class="presets">
          {Object.entries(WAYS).map(([name, id]) => (
            <CommandButton key={id} work={work} name={name} id={id} />
          ))}
        </div>
      )}
      {desk.isUnconfirmed(desk.label.value, desk.z.value) && (
        <CommandButton work={work} name="Accept this slice" id="accept" style="accept" />
      )}
    </section>
  );
}

function BrushSize({ desk }: { desk: Desk }) {
  const { brushMm } = desk.preferences;
  return (
    <label class="field">
      <span>Brush radius</span>
      <input
        type="range"
        min={0.5}
        max={30}
        step={0.5}
        value={brushMm.value}
        aria-valuetext={`${brushMm.value} millimetres`}
        title={`${desk.keys.name("thinner")} and ${desk.keys.name("thicker")}`}
        onInput={(event) => {
          brushMm.value = event.currentTarget.valueAsNumber;
        }}
      />
      <output>{brushMm.value} mm</output>
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
      <span>Paints only</span>
      {limit("low", "Lowest HU to paint")}–{limit("high", "Highest HU to paint")} HU
    </div>
  );
}

const figure = (value: number) => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);

function Measures({ work: { desk } }: { work: Work }) {
  const { series, links } = desk.assignment;
  const here = desk.maskHere.value;
  const grey = here && desk.slice.value && greyUnder(here, desk.slice.value);
  return (
    <section class="measures">
      <h2>
        Measures <a href={links.measures}>CSV</a>
      </h2>
      <dl>
        <div>
          <dt>Area on this slice</dt>
          <dd>{grey ? `${figure(areaMm2(here, series) / 100)} cm²` : "–"}</dd>
        </div>
        <div>
          <dt>Mean ± SD</dt>
          <dd>{grey ? `${grey.mean.toFixed(0)} ± ${grey.sd.toFixed(0)} HU`.replace("-", "−") : "–"}</dd>
        </div>
        <div>
          <dt>Volume</dt>
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
  const nameOf = (id: number) => assignment.labels.find((label) => label.id === id)?.name;
  return (
    <section>
      <details
        class="history"
        onToggle={(event) => {
          history.isOpen.value = event.currentTarget.open;
        }}
      >
        <summary>History</summary>
        <button type="button" title={desk.keys.name("replay")} onClick={() => void history.replay(desk.place.value)}>
          Replay this mask
        </button>
        <ol reversed start={count} style={{ paddingLeft: `${String(count).length + 1.5}ch` }}>
          {steps
            .map((step, i) => (
              <li key={step.sequence} class={step.in_force ? "" : "is-undone"}>
                <button
                  type="button"
                  class="past"
                  aria-current={i === last ? "step" : undefined}
                  title={`${step.person}, ${new Date(step.at).toLocaleString()}`}
                  onClick={() => desk.goToStep(step)}
                >
                  {named(step)}
                  <span>
                    {nameOf(step.slice.label)}, slice {step.slice.z + 1}
                  </span>
                </button>
              </li>
            ))
            .reverse()}
        </ol>
        {older > 0 && (
          <button type="button" onClick={() => void history.showOlder()}>
            Older steps ({older})
          </button>
        )}
        <button type="button" disabled={in_force === 0} onClick={() => desk.goToStep(undefined)}>
          Back to the beginning
        </button>
      </details>
    </section>
  );
}

function Display({ work: { desk } }: { work: Work }) {
  const { opacity, outlined, smooth } = desk.preferences;
  return (
    <section>
      <h2>Display</h2>
      <label class="field">
        <span>Fill</span>
        <input
          type="range"
          min={0}
          max={100}
          step={5}
          value={opacity.value * 100}
          aria-valuetext={`${Math.round(opacity.value * 100)} percent`}
          onInput={(event) => {
            opacity.value = event.currentTarget.valueAsNumber / 100;
          }}
        />
        <output>{Math.round(opacity.value * 100)} %</output>
      </label>
      <Switch
        name="Outline"
        keys={desk.keys.name("outline")}
        checked={outlined.value}
        set={(on) => {
          outlined.value = on;
        }}
      />
      <Switch
        name="All masks"
        keys={desk.keys.name("hide-all")}
        checked={!desk.masksHidden.value}
        set={(on) => {
          desk.masksHidden.value = !on;
        }}
      />
      <Switch
        name="Smooth image"
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
      <h2>Window</h2>
      <div class="presets">
        {desk.presets.map((preset, i) => (
          <button
            key={`${i} ${preset.name}`}
            type="button"
            aria-pressed={preset.width === width && preset.level === level}
            title={`Width ${preset.width}, level ${preset.level}${i < PRESETS.length ? ` (${desk.keys.name(`preset-${i + 1}`)})` : ""}`}
            onClick={apply(() => desk.applyPreset(i))}
          >
            {preset.name}
          </button>
        ))}
        <button
          type="button"
          title={`From the values of this slice (${desk.keys.name("auto-window")})`}
          onClick={apply(() => desk.applyAutoWindow())}
        >
          Auto
        </button>
      </div>
    </section>
  );
}

/** The server makes HTML of the project's Markdown, and lets none of its writers' own through. */
function Guidelines({ work: { desk } }: { work: Work }) {
  const { guidelines } = desk.assignment.project;
  if (!guidelines.trim()) return null;
  return (
    <section class="guidelines">
      <h2>Guidelines</h2>
      <div class="prose" dangerouslySetInnerHTML={{ __html: guidelines }} />
    </section>
  );
}
