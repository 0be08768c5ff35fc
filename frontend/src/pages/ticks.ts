// Ticked rows of a table: `form[data-ticks]` has `input[data-tick]` in its rows, `input[data-tick-all]` in its head, and
// `[data-tick-count]` where the number of ticked ones is to stand. Without a script the rows can be ticked all the same.

/** Makes every such form of the page work. */
export function offerTicks(page: Document): void {
  for (const form of page.querySelectorAll<HTMLFormElement>("form[data-ticks]")) offer(form);
}

function offer(form: HTMLFormElement): void {
  const ticks = [...form.querySelectorAll<HTMLInputElement>("input[data-tick]")];
  const all = form.querySelector<HTMLInputElement>("input[data-tick-all]");
  const count = form.querySelector<HTMLElement>("[data-tick-count]");
  const show = () => {
    const ticked = ticks.filter(({ checked }) => checked).length;
    if (count) count.textContent = `${ticked} ${count.dataset.tickCount ?? ""}`.trim();
    if (all) all.checked = ticked > 0 && ticked === ticks.length;
    if (all) all.indeterminate = ticked > 0 && ticked < ticks.length;
  };
  let last: HTMLInputElement | undefined;
  form.addEventListener("click", (event) => {
    if (!isTick(event.target)) return;
    if (event.shiftKey && last) tickBetween(ticks, last, event.target);
    last = event.target;
    show();
  });
  all?.addEventListener("change", () => {
    for (const tick of ticks) tick.checked = all.checked;
    show();
  });
  show();
}

/** With Shift, everything from the last one to this one becomes as this one is. */
function tickBetween(ticks: readonly HTMLInputElement[], from: HTMLInputElement, to: HTMLInputElement): void {
  const [first, last] = [ticks.indexOf(from), ticks.indexOf(to)].sort((a, b) => a - b) as [number, number];
  for (const tick of ticks.slice(first, last + 1)) tick.checked = to.checked;
}

const isTick = (target: EventTarget | null): target is HTMLInputElement =>
  target instanceof HTMLInputElement && target.matches("[data-tick]");
