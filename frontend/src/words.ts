/**
 * Texts, numbers and dates in the language of the page. The English sentence is a text's name; the page brings the others along
 * as `#texts`, out of Django's catalogue `djangojs` (`annotator/texts.py`). They are there before any other module runs, so
 * constants can hold them. `scripts/frontend_texts.py` finds what is one plain string in a call of these.
 */

type Value = string | number;
type Values = Readonly<Record<string, Value>>;

const page = typeof document === "undefined" ? undefined : document;
const language = page?.documentElement.lang || "en-gb";
const texts: Readonly<Record<string, string | readonly string[]>> = JSON.parse(
  page?.getElementById("texts")?.textContent || "{}",
);

/** A text, with values in its places: `%(name)s`. */
export function gettext(text: string, values: Values = {}): string {
  const found = texts[text] ?? text;
  return interpolate(typeof found === "string" ? found : text, values);
}

/** The same word where it means another thing. */
export const pgettext = (context: string, text: string): string => {
  const found = texts[`${context}\u0004${text}`];
  return typeof found === "string" ? found : text;
};

/** The text that goes with `n`, which stands where it says `%(n)s`. */
export function ngettext(one: string, many: string, n: number, values: Values = {}): string {
  const found = texts[one];
  const forms = typeof found === "object" ? found : [one, many];
  return interpolate(forms[formOf(n, forms.length)] ?? many, { ...values, n });
}

export function interpolate(text: string, values: Values): string {
  return places(text)
    .map((part, i) => (i % 2 ? (values[part] ?? `%(${part})s`) : part))
    .join("");
}

/** What stands around the places of a text, and in turn their names. */
export const places = (text: string): string[] => text.split(/%\((\w+)\)s/);

// Languages count in the same order here and in gettext: German and English have "one" and "other".
const rules = new Intl.PluralRules(language);
const kinds = (["zero", "one", "two", "few", "many", "other"] as const).filter((kind) =>
  rules.resolvedOptions().pluralCategories.includes(kind),
);
const formOf = (n: number, forms: number): number => Math.min(kinds.indexOf(rules.select(n)), forms - 1);

const formats = new Map<number, Intl.NumberFormat>();

/** A number with so many digits after the decimal sign. */
export function decimal(value: number, digits: number): string {
  const range = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  const format = formats.get(digits) ?? new Intl.NumberFormat(language, { ...range, useGrouping: false });
  formats.set(digits, format);
  return format.format(value);
}

/** A moment of ISO 8601 as a day with its time, or as hours and minutes alone. */
export const dayAndTime = (iso: string): string => new Date(iso).toLocaleString(language);
export const timeOfDay = (iso: string): string =>
  new Date(iso).toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" });
