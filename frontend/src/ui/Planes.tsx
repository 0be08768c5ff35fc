/** The coronal and the sagittal plane, beside the slice where the person wants them. */
import type { Pane } from "../desk/panes";
import type { Work } from "./context";
import { Letters } from "./Stage";
import { gettext } from "../words";

export function Planes({ work }: { work: Work }) {
  if (!work.desk.preferences.planes.value) return null;
  return (
    <section class="planes" aria-label={gettext("Planes across the slices")}>
      {work.panes.map((pane) => (
        <PaneStage key={pane.plane.name} work={work} pane={pane} />
      ))}
    </section>
  );
}

function PaneStage({ work, pane: { plane, viewer } }: { work: Work; pane: Pane }) {
  const { desk } = work;
  const insert = (element: HTMLDivElement | null) => {
    if (element && viewer.host.parentElement !== element) element.prepend(viewer.host);
  };
  return (
    <div class="stage" ref={insert}>
      <Letters matrix={plane.matrix(desk.assignment.series.affine)} />
      <div class="readout at-top-left">
        <span>
          {plane.name === "coronal" ? gettext("Coronal y") : gettext("Sagittal x")} <b>{plane.cutAt(desk.cut.value)}</b>
        </span>
        <Coming work={work} />
      </div>
    </div>
  );
}

/** What the picture lacks. */
function Coming({ work: { desk } }: { work: Work }) {
  const { step, slices } = desk.overview;
  const { awaited } = desk; // looks at every slice
  return (
    <>
      {awaited > 0 && (
        <span>{gettext("%(here)s of %(all)s slices", { here: slices.length - awaited, all: slices.length })}</span>
      )}
      {step > 1 && <span>{gettext("1 slice in %(step)s", { step })}</span>}
    </>
  );
}
