// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from "vitest";
import { rememberedPreferences } from "../../src/desk/preferences";

const NAME = "annotator.preferences";
const written = () => JSON.parse(localStorage.getItem(NAME) ?? "");

beforeEach(() => localStorage.clear());

describe("preferences", () => {
  it("are there again when the page is", () => {
    const first = rememberedPreferences(localStorage);
    first.keys.value = { brush: ["#"] };
    first.opacity.value = 0.5;
    const again = rememberedPreferences(localStorage);
    expect([again.keys.value, again.opacity.value]).toEqual([{ brush: ["#"] }, 0.5]);
  });

  it.each(["", "null", "nonsense", "[]", '{"keys":7,"opacity":"much","range":3}', '{"keys":{"brush":["Tab"]}}'])(
    "that make no sense (%s) are the usual ones",
    (stored) => {
      localStorage.setItem(NAME, stored);
      const { keys, opacity, range } = rememberedPreferences(localStorage);
      expect([keys.value, opacity.value, range.value]).toEqual([{}, 0.3, { low: 0, high: 200 }]);
    },
  );

  it("of another window are taken over, so that the next change here does not undo them", () => {
    const here = rememberedPreferences(localStorage);
    localStorage.setItem(NAME, JSON.stringify({ ...written(), keys: { brush: ["#"] } }));
    window.dispatchEvent(Object.assign(new Event("storage"), { key: NAME }));
    expect(here.keys.value).toEqual({ brush: ["#"] });
    here.outlined.value = false;
    expect(written().keys).toEqual({ brush: ["#"] });
  });
});
