// The phone's sentences: one table per language, `src/words/LANGUAGE.json`, and what is said of a scan type in all
// languages together, `src/words/all/scan-types.json`, so that a new type is one entry. A build with a missing,
// surplus or mismatched sentence fails here and says which one.
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";

/** The table that the others are held against; a sentence is written in it first. */
const FIRST = "en";
/** Only used for millions in es, fr, it and pt, where `other` says the same. */
const MAY_LACK = new Set(["es many", "fr many", "it many", "pt many"]);

const partsOf = (text) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort().join(" ");
const formsOf = (sentence) => (typeof sentence === "string" ? { "": sentence } : sentence);

/** The file that a sentence of a language stands in. */
const placeOf = (key, language, together) => (key in together ? `src/words/${together[key]} (${language})` : `src/words/${language}.json`);

/**
 * What is wrong with one table, as sentences. `first` is the table of `FIRST`, `sources` all scripts and templates,
 * `together` names the file of each sentence that stands in all languages in one place.
 */
function faultsOf(language, table, first, sources, together) {
  const faults = [];
  const fault = (key, what) => faults.push(`${placeOf(key, language, together)}: "${key}" ${what}`);
  for (const key of Object.keys(first)) if (!(key in table)) fault(key, "is missing: write it, or remove it everywhere");
  for (const [key, sentence] of Object.entries(table)) {
    if (!(key in first)) fault(key, `is not in ${FIRST}.json: remove it, or add it there`);
    else if (typeof sentence !== typeof first[key]) fault(key, `must have plural forms here as in ${FIRST}.json, or nowhere`);
    else if (typeof sentence === "object") faults.push(...pluralFaults(language, key, sentence));
    if (language === FIRST && !isUsed(key, sources)) fault(key, "is not used by any script or template: remove it in every language");
    const wanted = partsOf(Object.values(formsOf(first[key] ?? "")).join(" "));
    for (const [form, text] of Object.entries(formsOf(sentence))) {
      if (!text.trim()) fault(key, "is empty");
      // "One answer waits" may leave its number out.
      const extra = partsOf(text).split(" ").filter((part) => part && !wanted.includes(part));
      const lacking = form === "" && partsOf(text) !== wanted;
      if (extra.length > 0 || lacking) fault(key, `has the parts [${partsOf(text)}], and ${FIRST}.json [${wanted}]`);
    }
  }
  return faults;
}

function pluralFaults(language, key, sentence) {
  const wanted = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
  const lacking = wanted.filter((form) => !(form in sentence) && !MAY_LACK.has(`${language} ${form}`));
  const surplus = Object.keys(sentence).filter((form) => !wanted.includes(form));
  return [
    ...lacking.map((form) => `src/words/${language}.json: "${key}" lacks the plural form "${form}"`),
    ...surplus.map((form) => `src/words/${language}.json: "${key}" has the plural form "${form}", which ${language} does not know`),
  ];
}

/** Keys are written whole, or made from what the keys of a group share: `kind.${type}`. */
function isUsed(key, sources) {
  const group = key.slice(0, key.lastIndexOf(".") + 1);
  return sources.includes(`"${key}"`) || (group !== "" && (sources.includes(`\`${group}\${`) || sources.includes(`"${group}{{`)));
}

async function sourcesIn(folders) {
  const texts = [];
  for (const folder of folders)
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
      if (/\.(ts|html|py)$/.test(entry.name)) texts.push(await readFile(join(entry.parentPath, entry.name), "utf8"));
  return texts.join("\n");
}

/** Add the sentences of `all/*.json` (sentence -> language -> text) to each language's table; return the file of each. */
async function addTogether(folder, tables) {
  const together = {};
  for (const file of (await readdir(join(folder, "all"))).filter((name) => name.endsWith(".json")).sort())
    for (const [key, texts] of Object.entries(JSON.parse(await readFile(join(folder, "all", file), "utf8")))) {
      together[key] = `all/${file}`;
      for (const [language, text] of Object.entries(texts)) {
        if (!(language in tables)) throw new Error(`src/words/all/${file}: "${key}" is said in ${language}, which has no src/words/${language}.json`);
        tables[language][key] = text;
      }
    }
  return together;
}

/**
 * Return language -> table of every file in `folder`.
 * Rejects, with all faults, when the tables do not say the same in each language.
 */
export async function readWords(folder, sourceFolders) {
  const tables = {};
  for (const file of (await readdir(folder)).filter((name) => name.endsWith(".json")).sort())
    tables[basename(file, ".json")] = JSON.parse(await readFile(join(folder, file), "utf8"));
  const together = await addTogether(folder, tables);
  const sources = await sourcesIn(sourceFolders);
  const faults = Object.entries(tables).flatMap(([language, table]) => faultsOf(language, table, tables[FIRST], sources, together));
  if (faults.length > 0) throw new Error(`The sentences do not fit together:\n${faults.join("\n")}`);
  return tables;
}
