// Pictures: fetched through the page around this one where it offers that (it has a cache and has loaded ahead,
// this frame has neither), else directly. Decoded before they are shown, so that none builds up on the screen.
const pictures = new Map();  // address -> promise of { image, ms }
const asked = new Map();     // address -> what to call when the page around has it

function fromParent(url) {
  return new Promise((resolve, reject) => {
    asked.set(url, { resolve, reject });
    window.parent.postMessage({ photojury: "picture", url }, "*");
  });
}
function handed({ url, bytes, type, failed }) {
  const waiting = asked.get(url);
  if (!waiting) return;
  asked.delete(url);
  if (failed) waiting.reject(new Error("not loaded"));
  else waiting.resolve(URL.createObjectURL(new Blob([bytes], { type })));
}
async function decoded(url) {
  const started = performance.now();
  const image = new Image();
  image.alt = "";
  try {
    image.src = hasParent ? await fromParent(url) : url;
    await image.decode();
  } catch (error) {
    if (!hasParent) throw error;
    image.src = url;
    await image.decode();
  }
  return { image, ms: Math.round(performance.now() - started) };
}
function load(url) {
  if (!pictures.has(url)) pictures.set(url, decoded(url));
  return pictures.get(url);
}
function preload(from) {
  for (const item of items.slice(from, from + 3)) {
    for (const url of item.pictures) load(url).catch(() => pictures.delete(url));
  }
  // All of this HIT's pictures are on their way: the page around may get the next one's.
  if (from + 3 >= items.length) {
    Promise.allSettled([...pictures.values()]).then(() => window.parent.postMessage({ photojury: "loaded" }, "*"));
  }
}
