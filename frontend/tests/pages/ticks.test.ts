// @vitest-environment happy-dom
import { beforeEach, expect, it } from "vitest";
import { offerTicks } from "../../src/pages/ticks";

beforeEach(() => {
  const rows = [1, 2, 3, 4].map((n) => `<input type="checkbox" data-tick id="t${n}">`).join("");
  document.body.innerHTML = `<form data-ticks><input type="checkbox" data-tick-all>${rows}<b data-tick-count="ticked"></b></form>`;
  offerTicks(document);
});

const tick = (n: number) => document.querySelector<HTMLInputElement>(`#t${n}`) as HTMLInputElement;
const all = () => document.querySelector<HTMLInputElement>("[data-tick-all]") as HTMLInputElement;
const said = () => document.querySelector("b")?.textContent;
const ticked = () => [1, 2, 3, 4].filter((n) => tick(n).checked);

it("ticks are counted", () => {
  expect(said()).toBe("0 ticked");
  tick(2).click();
  expect([said(), all().checked, all().indeterminate]).toEqual(["1 ticked", false, true]);
  for (const n of [1, 3, 4]) tick(n).click();
  expect([said(), all().checked, all().indeterminate]).toEqual(["4 ticked", true, false]);
});

it("one box ticks all of them", () => {
  all().click();
  expect(ticked()).toEqual([1, 2, 3, 4]);
  all().click();
  expect([ticked(), said()]).toEqual([[], "0 ticked"]);
});

it("with Shift, a row of them", () => {
  tick(4).click();
  tick(2).dispatchEvent(new MouseEvent("click", { bubbles: true, shiftKey: true }));
  expect(ticked()).toEqual([2, 3, 4]);
});
