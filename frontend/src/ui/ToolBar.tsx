/** Tools for those who do not use keys, with the keys in their tips. */
import type { ComponentChildren } from "preact";
import type { Desk, Tool as DeskTool } from "../desk/desk";
import type { Work } from "./context";
import { Icon } from "./icons";

interface ToolProps {
  name: string;
  keys?: string;
  pressed?: boolean;
  disabled?: boolean;
  run: () => void;
  children: ComponentChildren;
}

function Tool({ name, keys, pressed, disabled = false, run, children }: ToolProps) {
  const tip = keys ? `${name} (${keys})` : name;
  const state = pressed === undefined ? {} : { "aria-pressed": pressed };
  return (
    <button type="button" class="tool" title={tip} aria-label={name} disabled={disabled} onClick={run} {...state}>
      {children}
    </button>
  );
}

export function ToolBar({ work }: { work: Work }) {
  return (
    <nav class="toolbar" aria-label="Tools">
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
        name="Click places foreground"
        keys={`${keys.name("swap")} swaps`}
        pressed={clicking && !placesBackground.value}
        run={() => choose(false)}
      >
        <i class="mark is-foreground">+</i>
      </Tool>
      <Tool
        name="Click places background"
        keys={`${keys.name("swap")} swaps, right click`}
        pressed={clicking && placesBackground.value}
        run={() => choose(true)}
      >
        <i class="mark is-background">−</i>
      </Tool>
      <ToolChoice desk={desk} tool="window" name="Window: drag changes width and level" more=", or Ctrl+drag" />
      <ToolChoice desk={desk} tool="ruler" name="Ruler" />
      <Tool
        name="Crosshair for the keyboard"
        keys={keys.name("crosshair")}
        pressed={desk.crosshair.value !== undefined}
        run={() => desk.toggleCrosshair()}
      >
        <Icon name="crosshair" />
      </Tool>
      <Tool
        name="Comment"
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
      <ToolChoice desk={desk} tool="brush" name="Brush" more="; right drag takes away" />
      <ToolChoice desk={desk} tool="eraser" name="Eraser" more="; right drag gives back" />
      <ToolChoice desk={desk} tool="lasso" name="Lasso" more="; right drag cuts out" />
      <ToolChoice desk={desk} tool="threshold" name="Brush for a range of HU" />
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
        name="Undo"
        keys={keys.name("undo")}
        disabled={!session.canUndo.value || isForLooking}
        run={() => desk.undo()}
      >
        <Icon name="undo" />
      </Tool>
      <Tool
        name="Redo"
        keys={keys.name("redo")}
        disabled={!session.canRedo.value || isForLooking}
        run={() => desk.redo()}
      >
        <Icon name="redo" />
      </Tool>
      <Tool
        name="Delete the selected click"
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
      <Tool name="Zoom in" keys={keys.name("zoom-in")} run={() => viewer.zoom(1.25)}>
        <Icon name="plus" />
      </Tool>
      <Tool name="Zoom out" keys={keys.name("zoom-out")} run={() => viewer.zoom(0.8)}>
        <Icon name="minus" />
      </Tool>
      <Tool name="Fit the slice" keys={keys.name("fit")} run={() => viewer.fit()}>
        <Icon name="fit" />
      </Tool>
      <Tool
        name="Coronal and sagittal plane"
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
        name="Keys and mouse"
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
