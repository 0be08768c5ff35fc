/** Where in the volume: a slider, and a strip that says which slices have a mask of which label. */
import type { Label } from "../desk/assignment";
import type { Desk } from "../desk/desk";
import { tip, type Work } from "./context";
import { gettext, ngettext } from "../words";

export function SliceBar({ work: { desk } }: { work: Work }) {
  return (
    <section class="slicebar" aria-label={gettext("Slices")}>
      <button
        type="button"
        class="step"
        aria-label={gettext("Previous slice with %(label)s", { label: desk.label.value.name })}
        title={tip(gettext("Previous slice with this label"), desk.keys.name("previous-mask"))}
        onClick={() => desk.goToMask(-1)}
      >
        ‹
      </button>
      <div class="slices">
        <Strip desk={desk} />
        <input
          type="range"
          aria-label={gettext("Slice")}
          aria-valuetext={gettext("Slice %(z)s of %(depth)s", { z: desk.z.value + 1, depth: desk.depth })}
          min={0}
          max={desk.depth - 1}
          value={desk.z.value}
          onInput={(event) => desk.goTo(event.currentTarget.valueAsNumber)}
        />
      </div>
      <button
        type="button"
        class="step"
        aria-label={gettext("Next slice with %(label)s", { label: desk.label.value.name })}
        title={tip(gettext("Next slice with this label"), desk.keys.name("next-mask"))}
        onClick={() => desk.goToMask(1)}
      >
        ›
      </button>
    </section>
  );
}

function Strip({ desk }: { desk: Desk }) {
  const { labels } = desk.assignment;
  const commented = desk.comments.slices.value;
  const first = commented.length > 0 ? 1 : 0; // row of the first label
  const rows = labels.length + first;
  const scrub = (event: PointerEvent & { currentTarget: SVGSVGElement }) => {
    if (!(event.buttons & 1)) return;
    const { left, width } = event.currentTarget.getBoundingClientRect();
    desk.goTo(Math.floor(((event.clientX - left) / width) * desk.depth));
  };
  return (
    <svg
      class="strip"
      role="img"
      aria-label={[...labels.map((label) => described(desk, label)), ...commentsDescribed(commented)].join("; ")}
      style={{ height: `${Math.min(rows * 7, 42)}px` }}
      viewBox={`0 0 ${desk.depth} ${rows}`}
      preserveAspectRatio="none"
      onPointerDown={scrub}
      onPointerMove={scrub}
    >
      {labels.map((label, row) => (
        <Row key={label.id} desk={desk} label={label} row={row + first} />
      ))}
      {stretches(commented).map(([from, to]) => (
        <rect key={from} class="commented" x={from} y={0.12} width={to - from + 1} height={0.76} />
      ))}
      <rect class="here" x={desk.z.value} y={0} width={1} height={rows} />
    </svg>
  );
}

const commentsDescribed = (slices: readonly number[]): string[] =>
  slices.length > 0 ? [ngettext("open comments on %(n)s slice", "open comments on %(n)s slices", slices.length)] : [];

function described(desk: Desk, label: Label): string {
  const [unconfirmed, doubtful] = [desk.unconfirmedSlices(label).length, desk.doubtfulSlices(label).length];
  const parts = [ngettext("%(n)s slice", "%(n)s slices", desk.slicesWithMask(label).length)];
  if (unconfirmed) parts.push(gettext("%(n)s unconfirmed", { n: unconfirmed }));
  if (doubtful) parts.push(gettext("%(n)s doubtful", { n: doubtful }));
  return `${label.name}: ${parts.join(", ")}`;
}

/** Neighbouring slices are one bar. */
function Row({ desk, label, row }: { desk: Desk; label: Label; row: number }) {
  const chosen = label === desk.label.value;
  return (
    <g>
      <rect class={chosen ? "row is-chosen" : "row"} x={0} y={row + 0.12} width={desk.depth} height={0.76} />
      {stretches(desk.slicesWithMask(label)).map(([first, last]) => (
        <rect key={first} fill={label.colour} x={first} y={row + 0.12} width={last - first + 1} height={0.76} />
      ))}
      {stretches(desk.unconfirmedSlices(label)).map(([first, last]) => (
        <rect key={first} class="unconfirmed" x={first} y={row + 0.36} width={last - first + 1} height={0.28} />
      ))}
      {stretches(desk.doubtfulSlices(label)).map(([first, last]) => (
        <rect key={first} class="doubtful" x={first} y={row + 0.12} width={last - first + 1} height={0.3} />
      ))}
    </g>
  );
}

/** [first, last] of each stretch of consecutive numbers. */
export function stretches(sorted: readonly number[]): [number, number][] {
  const found: [number, number][] = [];
  for (const z of sorted) {
    const last = found.at(-1);
    if (last && last[1] === z - 1) last[1] = z;
    else found.push([z, z]);
  }
  return found;
}
