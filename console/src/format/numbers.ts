const COUNT = new Intl.NumberFormat('en');
const ONE_DIGIT = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const TWO_DIGITS = new Intl.NumberFormat('en', { maximumSignificantDigits: 2 });
const PERCENT = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 });
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `12,345` */
export const formatCount = (count: number): string => COUNT.format(count);

/** `99` or, of a count that stops at `cap`, `100,000+` */
export const formatCapped = (count: number, cap: number): string => `${formatCount(count)}${count >= cap ? '+' : ''}`;

/** `events`, `deliveries`, `keys` */
export const pluralOf = (noun: string): string => (/[^aeiou]y$/.test(noun) ? `${noun.slice(0, -1)}ies` : `${noun}s`);

/** `1 event`, `12,345 events` */
export const countOf = (count: number, noun: string): string =>
  `${formatCount(count)} ${count === 1 ? noun : pluralOf(noun)}`;

/** `99.9%` of a ratio from 0 to 1. Rounded down, so that 100% means all. */
export const formatRatio = (ratio: number): string => PERCENT.format(Math.floor(ratio * 1000) / 1000);

/** `0.03`, `2.5`, `1,234`: two digits that mean something, more before the point. */
export function formatRate(perSecond: number): string {
  if (perSecond === 0) return '0';
  if (perSecond >= 10) return COUNT.format(Math.round(perSecond));
  return perSecond < 0.01 ? '< 0.01' : TWO_DIGITS.format(perSecond);
}

/** `1.5 KiB` */
export function formatBytes(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 1024 && unit < UNITS.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${ONE_DIGIT.format(size)} ${UNITS[unit]}`;
}
