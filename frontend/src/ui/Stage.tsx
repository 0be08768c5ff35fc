/** The slice with what is written around it. */
import { edgeLetters, positionText, scaleBar } from "../viewer/orientation";
import { Banner } from "./Banner";
import { filled, type Work } from "./context";
import { decimal, gettext } from "../words";

const SCALE_BAR_MOST = 140;

export function Stage({ work }: { work: Work }) {
  const { desk, viewer } = work;
  const insert = (element: HTMLDivElement | null) => {
    if (element && viewer.host.parentElement !== element) element.prepend(viewer.host);
  };
  return (
    <div class="stage" ref={insert}>
      <Letters matrix={desk.assignment.series.affine} />
      {desk.assignment.series.synthetic && <p class="badge">{gettext("Synthetic phantom – not a patient")}</p>}
      <SliceTrouble work={work} />
      <Readout work={work} />
      <WindowReadout work={work} />
      <ScaleBar work={work} />
      <Banner work={work} />
    </div>
  );
}

export function Letters({ matrix }: { matrix: readonly number[] }) {
  const letters = Object.entries(edgeLetters(matrix));
  return (
    <div aria-hidden="true">
      {letters.map(([edge, text]) => (
        <span key={edge} class={`letter at-${edge}`}>
          {text}
        </span>
      ))}
    </div>
  );
}

function SliceTrouble({ work: { desk } }: { work: Work }) {
  if (desk.slice.value) return null;
  const z = desk.z.value + 1;
  if (!desk.sliceFailed.value) return <p class="waiting">{gettext("Loading slice %(z)s…", { z })}</p>;
  return (
    <p class="waiting" role="alert">
      {gettext("Slice %(z)s could not be loaded.", { z })}{" "}
      <button type="button" onClick={() => desk.retrySlice()}>
        {gettext("Try again")}
      </button>
    </p>
  );
}

function Readout({ work: { desk } }: { work: Work }) {
  const at = desk.pointed.value;
  if (!at) return null;
  const { affine } = desk.assignment.series;
  return (
    <div class="readout at-bottom-left">
      <b>{desk.valueAt(at) ?? "–"} HU</b>
      <span>
        x {at.x} y {at.y} z {desk.z.value}
      </span>
      <span>{positionText(affine, at.x, at.y, desk.z.value)} mm</span>
    </div>
  );
}

function WindowReadout({ work: { desk } }: { work: Work }) {
  const { width, level } = desk.greyWindow.value;
  const spacing = desk.assignment.series.spacing;
  return (
    <div class="readout at-top-left">
      <span>{filled(gettext("Slice %(z)s of %(depth)s"), { z: <b>{desk.z.value + 1}</b>, depth: desk.depth })}</span>
      <span>{gettext("W %(width)s L %(level)s", { width, level })}</span>
      <span>{gettext("%(mm)s mm apart", { mm: decimal(spacing[0], 1) })}</span>
    </div>
  );
}

function ScaleBar({ work: { viewer } }: { work: Work }) {
  const bar = scaleBar(viewer.viewport.value.zoom, SCALE_BAR_MOST);
  return (
    <div class="scale" aria-hidden="true">
      <span>{bar.text}</span>
      <i style={{ width: `${bar.pixels}px` }} />
    </div>
  );
}
