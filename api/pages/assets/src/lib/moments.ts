// Days and times in a reader's language; also in the npm package.

/** A language with the reader's own region where the browser names it: it decides how times and numbers are written. */
export function localeOf(language: string): string {
  return navigator.languages.find((tag) => tag.toLowerCase().split("-")[0] === language) ?? language;
}

/** A day and a time, said from today: "today at 14:02", "3 March". */
export function moment(at: Date, language: string, now = new Date()): string {
  const days = Math.round((startOfDay(at) - startOfDay(now)) / 86_400_000);
  if (days < -1 || days > 0) return day(at, language, now);
  const time = new Intl.DateTimeFormat(localeOf(language), { timeStyle: "short" }).format(at);
  const comma = language === "ar" ? "،" : ",";
  return `${new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(days, "day")}${comma} ${time}`;
}

/** A day, with its year if it is another one. */
export function day(at: Date, language: string, now = new Date()): string {
  const year = at.getFullYear() === now.getFullYear() ? {} : ({ year: "numeric" } as const);
  return new Intl.DateTimeFormat(localeOf(language), { day: "numeric", month: "long", ...year }).format(at);
}

function startOfDay(at: Date): number {
  return Date.UTC(at.getFullYear(), at.getMonth(), at.getDate());
}
