/** What the model thinks of its own mask. */
import type { Mask } from "../protocol/mask";

export type Verdict = "good" | "check" | "doubtful";

/** On patients that the model was not trained on the estimate is off by 0.04 to 0.09 in the mean: three steps, no more. */
const GOOD = 0.9;
const DOUBTFUL = 0.8;

export function verdict({ quality, runs }: Mask): Verdict | undefined {
  if (quality === undefined || runs.length === 0) return undefined;
  return quality >= GOOD ? "good" : quality >= DOUBTFUL ? "check" : "doubtful";
}

export const isDoubtful = (mask: Mask): boolean => verdict(mask) === "doubtful";
