/** Line icons of the tool bar, drawn on a 20×20 grid. */
import type { JSX } from "preact";

const PATHS = {
  click: "M5 3l10 6-4.5 1.2L14 16l-2 1-3.3-5.6L5 14z",
  window: "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14M10 3v14M10 6h5M10 10h7M10 14h5",
  undo: "M8 4L4 8l4 4M4 8h7a5 5 0 0 1 0 9H8",
  redo: "M12 4l4 4-4 4M16 8H9a5 5 0 0 0 0 9h3",
  plus: "M10 4v12M4 10h12",
  minus: "M4 10h12",
  fit: "M4 8V4h4M12 4h4v4M16 12v4h-4M8 16H4v-4",
  trash: "M4 6h12M8 6V4h4v2M6 6l1 11h6l1-11",
  keys: "M3 6h14v8H3zM6 9h1M9.5 9h1M13 9h1M7 12h6",
  crosshair: "M10 3v5M10 12v5M3 10h5M12 10h5",
  brush: "M16 4l-7 7M9 11c-2-1-4 0-4 2.5 0 1.5-1 2-2 2 1 1.5 5 1.5 6-.5.6-1.2.5-3 0-4z",
  eraser: "M4 12l7-8 5 5-7 7H7zM7.5 8l5 5M9 16h7",
  lasso: "M10 4c4 0 7 2 7 4.5S14 13 10 13s-7-2-7-4.5S6 4 10 4zM6 12.5c-1 1-1 3 .5 3.5M6.5 16c1 .5 1 1 .5 2",
  threshold: "M3 16h14M5 16V9M8 16V5M11 16V8M14 16V11M3 10.5h14",
  eye: "M2 10s3-5 8-5 8 5 8 5-3 5-8 5-8-5-8-5zM10 8a2 2 0 1 0 0 4a2 2 0 1 0 0-4",
  eyeOff: "M2 10s3-5 8-5 8 5 8 5-3 5-8 5-8-5-8-5zM4 17L16 3",
  ruler: "M3 14L14 3l3 3L6 17zM6 11l1.5 1.5M9 8l1.5 1.5M12 5l1.5 1.5",
  planes: "M3 3h8v14H3zM14 3h3v5.5h-3zM14 11.5h3V17h-3z",
  lock: "M5 9h10v8H5zM7 9V6a3 3 0 0 1 6 0v3",
  unlock: "M5 9h10v8H5zM7 9V6a3 3 0 0 1 5.8-1",
  bell: "M4 14h12l-1.5-2V9a4.5 4.5 0 0 0-9 0v3zM8.5 16.5a1.6 1.6 0 0 0 3 0M10 4.5V3",
  person: "M10 4a3 3 0 1 0 0 6a3 3 0 1 0 0-6M4 17c0-4 3-5 6-5s6 1 6 5",
  comment: "M4 4h12v9H9l-4 4v-4H4zM7 7h6M7 10h4",
  close: "M5 5l10 10M15 5L5 15",
} as const;

export function Icon({ name }: { name: keyof typeof PATHS }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
