/** Field specifications of JSON messages: one table gives the TypeScript type, the check and the field order. */

export class ProtocolError extends Error {}

type Int = { readonly is: "int"; readonly or?: number };
type Bool = { readonly is: "bool" };
type Text = { readonly is: "text" };
type List<F extends Fields> = { readonly is: "list"; readonly of: F };
type Field = Int | Bool | Text | List<Fields>;
export interface Fields {
  readonly [name: string]: Field;
}

type ValueOf<F extends Field> = F extends Int
  ? number
  : F extends Bool
    ? boolean
    : F extends Text
      ? string
      : F extends List<infer Inner>
        ? readonly RecordOf<Inner>[]
        : never;

export type RecordOf<S extends Fields> = { readonly [K in keyof S]: ValueOf<S[K]> };

export const int = { is: "int" } as const;
export const intOr = <N extends number>(or: N) => ({ is: "int", or }) as const;
export const bool = { is: "bool" } as const;
export const text = { is: "text" } as const;
export const listOf = <F extends Fields>(of: F) => ({ is: "list", of }) as const;

/** The checked record of a JSON object: every field present and of its type, none unknown. */
export function readRecord(fields: Fields, value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ProtocolError(`${where} is not an object.`);
  const given = value as Record<string, unknown>;
  const unknown = Object.keys(given).find((name) => !(name in fields));
  if (unknown !== undefined) throw new ProtocolError(`${where} has an unknown field ${unknown}.`);
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, readValue(field, given[name], `${where}.${name}`)]),
  );
}

function readValue(field: Field, value: unknown, where: string): unknown {
  switch (field.is) {
    case "int":
      return readInt(value ?? field.or, where);
    case "bool":
      if (typeof value !== "boolean") throw new ProtocolError(`${where} is not a bool.`);
      return value;
    case "text":
      if (typeof value !== "string") throw new ProtocolError(`${where} is not a text.`);
      return value;
    case "list":
      if (!Array.isArray(value)) throw new ProtocolError(`${where} is not a list.`);
      return value.map((item) => readRecord(field.of, item, where));
  }
}

function readInt(value: unknown, where: string): number {
  if (!Number.isInteger(value)) throw new ProtocolError(`${where} is not an int.`);
  const number = value as number;
  if (number < 0 || number >= 2 ** 31) throw new ProtocolError(`${where} is not between 0 and 2147483647.`);
  return number;
}

/** A JSON-ready copy with exactly the declared fields in declared order, so that equal messages are equal texts. */
export function writeRecord(fields: Fields, record: object): Record<string, unknown> {
  const given = record as Record<string, unknown>;
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, writeValue(field, given[name])]));
}

function writeValue(field: Field, value: unknown): unknown {
  return field.is === "list" ? (value as object[]).map((item) => writeRecord(field.of, item)) : value;
}
