/** Tools for those who do not use keys, with the keys in their tips. */
import type { ComponentChildren } from "preact";
import type { Desk, Tool as DeskTool } from "../desk/desk";
import { tip, type Work } from "./context";
import { Icon } from "./icons";
import { gettext } from "../words";

interface ToolProps {
  name: string;
  keys?: string;
  pressed?: boolean;
  disabled?: boolean;
  run: () => void;
  children: ComponentChildren;
}

function Tool({ name, keys, pressed, disabled = false, run, children }: ToolProps) {
  const title = keys ? tip(name, keys) : name;
  const state = pressed === undefined ? {} : { "aria-pressed": pressed };
  return (
    <button type="button" class="tool" title={title} aria-label={name} disabled={disabled} onClick={run} {...state}>
      {children}
    </button>
  );
}

export function ToolBar({ work }: { work: Work }) {
  return (
    <nav class="toolbar" aria-label={gettext("Tools")}>
      <ClickTools work={work} />
      <hr />
      <PaintTools work={work} />
      <hr />
      <StepTools work={work} />
      <hr />
      <ZoomTools work={work} />
    </nav>
  );
}

function ClickTools({ work: { desk } }: { work: Work }) {
  const { tool, placesBackground, keys } = desk;
  const choose = (background: boolean) => {
    tool.value = "click";
    placesBackground.value = background;
  };
  const clicking = tool.value === "click";
  return (
    <>
      <Tool
        name={gettext("Click places foreground")}
        keys={gettext("%(key)s swaps", { key: keys.name("swap") })}
        pressed={clicking && !placesBackground.value}
        run={() => choose(false)}
      >
        <i class="mark is-foreground">+</i>
      </Tool>
      <Tool
        name={gettext("Click places background")}
        keys={gettext("%(key)s swaps, right click", { key: keys.name("swap") })}
        pressed={clicking && placesBackground.value}
        run={() => choose(true)}
      >
        <i class="mark is-background">−</i>
      </Tool>
      <ToolChoice
        desk={desk}
        tool="window"
        name={gettext("Window: drag changes width and level")}
        more={gettext(", or Ctrl+drag")}
      />
      <ToolChoice desk={desk} tool="ruler" name={gettext("Ruler")} />
      <Tool
        name={gettext("Crosshair for the keyboard")}
        keys={keys.name("crosshair")}
        pressed={desk.crosshair.value !== undefined}
        run={() => desk.toggleCrosshair()}
      >
        <Icon name="crosshair" />
      </Tool>
      <Tool
        name={gettext("Comment")}
        keys={keys.name("comment")}
        pressed={desk.comments.isPlacing.value}
        run={() => desk.startComment()}
      >
        <Icon name="comment" />
      </Tool>
    </>
  );
}

function PaintTools({ work: { desk } }: { work: Work }) {
  return (
    <>
      <ToolChoice desk={desk} tool="brush" name={gettext("Brush")} more={gettext("; right drag takes away")} />
      <ToolChoice desk={desk} tool="eraser" name={gettext("Eraser")} more={gettext("; right drag gives back")} />
      <ToolChoice desk={desk} tool="lasso" name={gettext("Lasso")} more={gettext("; right drag cuts out")} />
      <ToolChoice desk={desk} tool="threshold" name={gettext("Brush for a range of HU")} />
    </>
  );
}

interface ChoiceProps {
  desk: Desk;
  tool: Exclude<DeskTool, "click">;
  name: string;
  more?: string;
}

/** A tool of the left button; its icon and its command have its name. */
function ToolChoice({ desk, tool, name, more = "" }: ChoiceProps) {
  return (
    <Tool
      name={name}
      keys={desk.keys.name(tool) + more}
      pressed={desk.tool.value === tool}
      run={() => desk.toggleTool(tool)}
    >
      <Icon name={tool} />
    </Tool>
  );
}

function StepTools({ work: { desk } }: { work: Work }) {
  const { session, keys } = desk;
  const target = desk.hovered.value ?? desk.selected.value;
  const isForLooking = desk.progress.refusal !== undefined;
  return (
    <>
      <Tool
        name={gettext("Undo")}
        keys={keys.name("undo")}
        disabled={!session.canUndo.value || isForLooking}
        run={() => desk.undo()}
      >
        <Icon name="undo" />
      </Tool>
      <Tool
        name={gettext("Redo")}
        keys={keys.name("redo")}
        disabled={!session.canRedo.value || isForLooking}
        run={() => desk.redo()}
      >
        <Icon name="redo" />
      </Tool>
      <Tool
        name={gettext("Delete the selected click")}
        keys={keys.name("delete-click")}
        disabled={target === undefined || isForLooking}
        run={() => desk.deleteClick()}
      >
        <Icon name="trash" />
      </Tool>
    </>
  );
}

function ZoomTools({ work: { desk, viewer } }: { work: Work }) {
  const { planes } = desk.preferences;
  const { keys } = desk;
  return (
    <>
      <Tool name={gettext("Zoom in")} keys={keys.name("zoom-in")} run={() => viewer.zoom(1.25)}>
        <Icon name="plus" />
      </Tool>
      <Tool name={gettext("Zoom out")} keys={keys.name("zoom-out")} run={() => viewer.zoom(0.8)}>
        <Icon name="minus" />
      </Tool>
      <Tool name={gettext("Fit the slice")} keys={keys.name("fit")} run={() => viewer.fit()}>
        <Icon name="fit" />
      </Tool>
      <Tool
        name={gettext("Coronal and sagittal plane")}
        keys={keys.name("planes")}
        pressed={planes.value}
        run={() => {
          planes.value = !planes.value;
        }}
      >
        <Icon name="planes" />
      </Tool>
      <span class="grow" />
      <Tool
        name={gettext("Keys and mouse")}
        keys={keys.name("help")}
        run={() => {
          desk.keysShown.value = true;
        }}
      >
        <Icon name="keys" />
      </Tool>
    </>
  );
}
