import { describe, expect, it } from "vitest";
import { decodeClient, decodeServer, encode } from "../../src/protocol/messages";
import { text, textFrames } from "./golden";

const CLIENT = [
  "hello",
  "take_over",
  "view",
  "preview",
  "lock",
  "add_click",
  "move_click",
  "delete_click",
  "paint",
  "propagate",
  "undo",
  "redo",
];
const SERVER = ["welcome", "stored", "changed", "saved", "locks", "lease", "news", "inference", "error"];

describe("golden text frames", () => {
  it("cover every message type", () => {
    expect(textFrames().sort()).toEqual([...CLIENT, ...SERVER].sort());
  });

  it.each(CLIENT)("%s from the browser is the same text in both languages", (type) => {
    const message = decodeClient(text(`${type}.json`));
    expect(message.type).toBe(type);
    expect(encode(message)).toBe(text(`${type}.json`));
  });

  it.each(SERVER)("%s from the server is understood and the same text", (type) => {
    const message = decodeServer(text(`${type}.json`));
    expect(message.type).toBe(type);
    expect(encode(message)).toBe(text(`${type}.json`));
  });
});

describe("a frame that cannot be taken", () => {
  it.each([
    ["no JSON", "{"],
    ["a list", "[]"],
    ["an unknown type", '{"type":"shout"}'],
    ["a name every object has", '{"type":"toString"}'],
    ["a client message", '{"type":"undo","sequence":1}'],
    ["a missing field", '{"type":"saved","sequence":1,"label":2}'],
    ["an unknown field", '{"type":"saved","sequence":1,"label":2,"z":3,"y":4}'],
    ["a text for a number", '{"type":"saved","sequence":"1","label":2,"z":3}'],
    ["a fraction", '{"type":"saved","sequence":1.5,"label":2,"z":3}'],
    ["a negative number", '{"type":"saved","sequence":-1,"label":2,"z":3}'],
    [
      "a click that is none",
      '{"type":"stored","sequence":1,"kind":"undo","slices":[{"label":1,"z":1,"base":0,"since":1,"unconfirmed":false,"clicks":[3]}],"can_undo":true,"can_redo":true}',
    ],
  ])("is refused: %s", (_, frame) => {
    expect(() => decodeServer(frame)).toThrow();
  });

  it("may leave out the numbers of an error", () => {
    const error = decodeServer('{"type":"error","code":"malformed","message":"No."}');
    expect(error).toMatchObject({ sequence: 0, request: 0 });
  });
});
