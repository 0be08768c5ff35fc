/** The binary frame: one mask under a header that says which question it answers. */
import { decodeMask, encodeMask, type Mask } from "./mask";
import { PROTOCOL_VERSION } from "./messages";
import { ProtocolError } from "./schema";

const HEADER_BYTES = 28;
const NO_ESTIMATE = -1;
const KINDS = ["stored", "preview", "saved"] as const;

/** Over the socket: the mask after a stored interaction, or of a preview. Over HTTP: a mask from the database. */
export type MaskKind = (typeof KINDS)[number];

export interface MaskFrame {
  readonly kind: MaskKind;
  readonly z: number;
  /** The interaction's sequence (stored, saved) or the preview's request. */
  readonly number: number;
  readonly label: number;
  readonly modelVersion: number;
  readonly networkMs: number;
  readonly totalMs: number;
  readonly mask: Mask;
}

export function decodeMaskFrame(data: Uint8Array): MaskFrame {
  if (data.length < HEADER_BYTES) throw new ProtocolError("The mask frame is shorter than its header.");
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (view.getUint8(0) !== PROTOCOL_VERSION) {
    throw new ProtocolError(`The mask frame speaks protocol ${view.getUint8(0)}, not ${PROTOCOL_VERSION}.`);
  }
  const kind = KINDS[view.getUint8(1)];
  if (!kind) throw new ProtocolError(`Unknown kind of mask frame ${view.getUint8(1)}.`);
  const quality = view.getFloat32(24, true);
  const mask = decodeMask(data.subarray(HEADER_BYTES));
  return {
    kind,
    z: view.getUint16(2, true),
    number: view.getUint32(4, true),
    label: view.getUint32(8, true),
    modelVersion: view.getUint32(12, true),
    networkMs: view.getFloat32(16, true),
    totalMs: view.getFloat32(20, true),
    mask: quality === NO_ESTIMATE ? mask : { ...mask, quality },
  };
}

export function encodeMaskFrame(frame: MaskFrame): Uint8Array {
  const mask = encodeMask(frame.mask);
  const data = new Uint8Array(HEADER_BYTES + mask.length);
  const view = new DataView(data.buffer);
  view.setUint8(0, PROTOCOL_VERSION);
  view.setUint8(1, KINDS.indexOf(frame.kind));
  view.setUint16(2, frame.z, true);
  view.setUint32(4, frame.number, true);
  view.setUint32(8, frame.label, true);
  view.setUint32(12, frame.modelVersion, true);
  view.setFloat32(16, frame.networkMs, true);
  view.setFloat32(20, frame.totalMs, true);
  view.setFloat32(24, frame.mask.quality ?? NO_ESTIMATE, true);
  data.set(mask, HEADER_BYTES);
  return data;
}

/** The frames of `/api/assignments/<id>/masks/`: each behind its length as a little-endian u32. */
export function* splitMaskFrames(body: Uint8Array): Generator<MaskFrame> {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  for (let at = 0; at < body.length; ) {
    if (at + 4 > body.length) throw new ProtocolError("The list of masks is cut short.");
    const end = at + 4 + view.getUint32(at, true);
    if (end > body.length) throw new ProtocolError("The list of masks is cut short.");
    yield decodeMaskFrame(body.subarray(at + 4, end));
    at = end;
  }
}
