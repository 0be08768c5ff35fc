/** Masks to look at, not to work on: outlines of others' work, and what differs between them. Above the case's own masks. */
import type { Mask } from "../protocol/mask";
import { cleared, fillMask, type Layer, layer, type Picture, pictureOf, strokeMask, toDevice } from "./layers";

export interface Guide {
  readonly mask: Mask;
  readonly colour: string;
  readonly style: "line" | "dashes" | "fill";
}

const WIDTH = 2;
const FILLED = 0.4;

export function guideLayer(): Layer {
  let pictures: ReadonlyMap<Guide, Picture> = new Map(); // of those that were drawn last: a zoom makes none anew
  return layer(["guides", "toCanvas", "pixelRatio"], (context, state) => {
    cleared(context);
    const transform = toDevice(state);
    const guides = state.guides.filter(({ mask }) => mask.runs.length > 0);
    pictures = new Map(guides.map((guide) => [guide, pictures.get(guide) ?? pictureOf(guide)]));
    for (const [{ mask, colour, style }, { raster, edges }] of pictures) {
      if (style === "fill") fillMask(context, transform, raster, mask, FILLED);
      else strokeMask(context, transform, edges, { colour, unconfirmed: style === "dashes" }, WIDTH * state.pixelRatio);
    }
  });
}
