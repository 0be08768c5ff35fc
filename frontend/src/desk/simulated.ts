/** What a simulated person did on a slice when a model was evaluated: `#evaluation=3&place=0` in the address shows it. */
import { signal } from "@preact/signals-core";
import { maskFromText } from "../protocol/mask";
import type { Place } from "../session/place";
import type { Guide } from "../viewer/guides";
import type { Desk } from "./desk";
import { gettext } from "../words";

/** As `annotator/learning/scores.py` has it; `label` is null where the case has no such label any more. */
export interface SimulatedSlice {
  readonly z: number;
  readonly label: number | null;
  readonly guides: readonly { readonly mask: string; readonly colour: string; readonly style: Guide["style"] }[];
}

/** Where the slice of an address's hash is loaded from; nothing where it names none. */
export function simulatedUrl(hash: string): string | undefined {
  const asked = new URLSearchParams(hash.slice(1));
  const [evaluation, place] = ["evaluation", "place"].map((name) => asked.get(name) ?? "");
  const are = [evaluation, place].every((number) => /^\d+$/.test(number ?? ""));
  return are ? `/models/evaluations/${evaluation}/slices/${place}.json` : undefined;
}

export class Simulated {
  private readonly shown = signal<{ readonly at: Place; readonly guides: readonly Guide[] } | undefined>(undefined);

  /** Goes to the slice that the address names, if any, and draws there what was done. */
  async open(hash: string, desk: Desk): Promise<void> {
    const url = simulatedUrl(hash);
    if (!url) return;
    const response = await fetch(url, { credentials: "same-origin" });
    if (!response.ok) {
      desk.announcement.value = gettext("What the simulated person did here is not there any more.");
      return;
    }
    this.show((await response.json()) as SimulatedSlice, desk);
  }

  show({ z, label, guides }: SimulatedSlice, desk: Desk): void {
    const at = { z, label: label ?? desk.label.value.id };
    this.shown.value = { at, guides: guides.map((guide) => ({ ...guide, mask: maskFromText(guide.mask) })) };
    desk.selectLabel(desk.assignment.labels.find(({ id }) => id === at.label));
    desk.goTo(z);
    desk.announcement.value = gettext(
      "Slice %(z)s with what a simulated person made of it: clicks inside are green, outside red.",
      { z: z + 1 },
    );
  }

  guidesAt({ z, label }: Place): readonly Guide[] {
    const { at, guides } = this.shown.value ?? {};
    return guides && at?.z === z && at.label === label ? guides : [];
  }
}
