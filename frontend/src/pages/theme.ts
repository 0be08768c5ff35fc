// Dark, light, or as the system has it. The server reads the cookie, so no page flashes in the wrong colours.

export const THEMES = ["auto", "dark", "light"] as const;
export type Theme = (typeof THEMES)[number];

const YEAR = 365 * 24 * 3600;

/** Makes the page's `select[data-theme-choice]` work. */
export function offerTheme(page: Document): void {
  const choice = page.querySelector<HTMLSelectElement>("select[data-theme-choice]");
  choice?.addEventListener("change", () => {
    page.documentElement.dataset.theme = choice.value;
    page.cookie = `theme=${choice.value}; path=/; max-age=${YEAR}; samesite=lax`;
  });
}
