// Which languages text in pictures is read in, and how the library that reads it is fitted to our pages.

/** Our code of a language -> the models that read it: what is written in another script has addresses and names in ours. */
const MODELS = {
  ar: ["ara", "eng"],
  de: ["deu"],
  en: ["eng"],
  es: ["spa"],
  fr: ["fra"],
  hi: ["hin", "eng"],
  id: ["ind"],
  it: ["ita"],
  nl: ["nld"],
  pt: ["por"],
};

/**
 * Return language -> its models, for the languages in `asked` ("ar en"; "none"; all when it is left out).
 * Throws when one is not known.
 */
export function pictureLanguages(asked, spoken) {
  const unknown = spoken.filter((code) => !(code in MODELS));
  if (unknown.length > 0) throw new Error(`pictures.mjs names no model for ${unknown.join(", ")}: add its package of @tesseract.js-data, or an empty list.`);
  const wanted = asked?.trim() ? asked.split(/[\s,]+/).filter(Boolean) : Object.keys(MODELS);
  if (wanted.join() === "none") return {};
  const wrong = wanted.filter((code) => !(code in MODELS));
  if (wrong.length > 0) throw new Error(`SHIELD_PICTURE_LANGUAGES: there is no ${wrong.join(", ")}. Name some of ${Object.keys(MODELS).join(" ")}, or "none".`);
  return Object.fromEntries(wanted.map((code) => [code, { models: MODELS[code] }]));
}

/** The integer models: a tenth of the others in size, and what the library takes by itself. */
export const modelFile = (model) => `node_modules/@tesseract.js-data/${model}/4.0.0_best_int/${model}.traineddata.gz`;

/** The library makes its worker from an address, which trusted types refuse: it takes the page's instead. */
export const workerGiven = {
  name: "worker-given",
  setup(build) {
    build.onLoad({ filter: /tesseract\.js\/src\/worker\/browser\/spawnWorker\.js$/ }, () => ({ contents: "module.exports = ({ worker }) => worker;" }));
  },
};
