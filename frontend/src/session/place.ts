/** Where a click list and its mask belong: one label on one slice. */
export interface Place {
  readonly label: number;
  readonly z: number;
}

export type PlaceKey = string & { readonly __brand: "PlaceKey" };

export const keyOf = ({ label, z }: Place): PlaceKey => `${label}/${z}` as PlaceKey;
export const samePlace = (a: Place, b: Place): boolean => a.label === b.label && a.z === b.z;

export function placeOf(key: PlaceKey): Place {
  const [label = 0, z = 0] = key.split("/").map(Number);
  return { label, z };
}
