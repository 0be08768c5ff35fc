/**
 * The text frames of the live protocol, as `annotator/protocol.py` defines them. Coordinates are zero-based voxel
 * indices of the stored volume. Both test suites read the golden frames in `tests/protocol/frames/`.
 */
import {
  bool,
  type Fields,
  int,
  intOr,
  listOf,
  ProtocolError,
  type RecordOf,
  readRecord,
  text,
  writeRecord,
} from "./schema";

export const PROTOCOL_VERSION = 3;

const previewClick = { y: int, x: int, positive: bool };
const placedClick = { id: int, y: int, x: int, positive: bool };
const sliceClicks = { label: int, z: int, base: int, since: int, unconfirmed: bool, clicks: listOf(placedClick) };
const lockedLabel = { label: int };
const stored = { sequence: int, kind: text, slices: listOf(sliceClicks), can_undo: bool, can_redo: bool };

const CLIENT = {
  hello: { protocol: int, window: text },
  take_over: {},
  view: { label: int, z: int },
  preview: { request: int, label: int, z: int, base: int, clicks: listOf(previewClick) },
  lock: { label: int, locked: bool },
  add_click: { sequence: int, label: int, z: int, y: int, x: int, positive: bool },
  move_click: { sequence: int, click: int, y: int, x: int },
  delete_click: { sequence: int, click: int },
  paint: { sequence: int, label: int, z: int, tool: text, mask: text, since: intOr(0) },
  propagate: { sequence: int, label: int, z: int, source: int, ahead: int, better: bool },
  undo: { sequence: int, steps: intOr(1) },
  redo: { sequence: int, steps: intOr(1) },
} satisfies Record<string, Fields>;

const SERVER = {
  welcome: {
    protocol: int,
    last_sequence: int,
    can_undo: bool,
    can_redo: bool,
    inference: text,
    model: text,
    clicks: listOf(sliceClicks),
    locked: listOf(lockedLabel),
  },
  stored,
  changed: stored,
  saved: { sequence: int, label: int, z: int },
  locks: { labels: listOf(lockedLabel) },
  lease: { mine: bool, person: text, since: text },
  news: { what: text },
  inference: { state: text },
  error: { code: text, message: text, sequence: intOr(0), request: intOr(0) },
} satisfies Record<string, Fields>;

type MessagesOf<T extends Record<string, Fields>> = { [K in keyof T]: { readonly type: K } & RecordOf<T[K]> };
type ClientMessages = MessagesOf<typeof CLIENT>;
type ServerMessages = MessagesOf<typeof SERVER>;

export type ClientMessage = ClientMessages[keyof ClientMessages];
export type ServerMessage = ServerMessages[keyof ServerMessages];
export type Preview = ClientMessages["preview"];
export type Paint = ClientMessages["paint"];
export type Welcome = ServerMessages["welcome"];
export type Stored = ServerMessages["stored"];
export type Changed = ServerMessages["changed"];
export type Saved = ServerMessages["saved"];
export type Lease = ServerMessages["lease"];
export type ErrorMessage = ServerMessages["error"];
export type PreviewClick = RecordOf<typeof previewClick>;
export type PlacedClick = RecordOf<typeof placedClick>;
export type LockedLabel = RecordOf<typeof lockedLabel>;
export type SliceClicks = RecordOf<typeof sliceClicks>;

const ALL: Record<string, Fields> = { ...CLIENT, ...SERVER };

/** The canonical text frame of a message: compact JSON, `type` first, fields in declared order. */
export function encode(message: ClientMessage | ServerMessage): string {
  return JSON.stringify({ type: message.type, ...writeRecord(ALL[message.type] ?? {}, message) });
}

export function decodeServer(frame: string): ServerMessage {
  return decode(frame, SERVER) as ServerMessage;
}

/** Also used on what the browser kept in its own storage: another version of this page may have written it. */
export function decodeClient(frame: string): ClientMessage {
  return decode(frame, CLIENT) as ClientMessage;
}

function decode(frame: string, messages: Record<string, Fields>): object {
  const { type, ...fields } = parseObject(frame);
  const declared = typeof type === "string" && Object.hasOwn(messages, type) ? messages[type] : undefined;
  if (!declared) throw new ProtocolError(`Unknown message type ${String(type).slice(0, 40)}.`);
  return { type, ...readRecord(declared, fields, String(type)) };
}

function parseObject(frame: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(frame);
  } catch {
    throw new ProtocolError("The message is not JSON.");
  }
  if (typeof value !== "object" || value === null) throw new ProtocolError("The message is not a JSON object.");
  return value as Record<string, unknown>;
}
