// What a rater is asked, and in which order: drawn from the HIT and the worker, so that every rater sees another
// order, and a reload shows the same one.

// A 32-bit FNV-1a hash seeds mulberry32.
function generator(text) {
  let state = 2166136261;
  for (const letter of text) state = Math.imul(state ^ letter.codePointAt(0), 16777619);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
function shuffle(list, random) {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [list[i], list[j]] = [list[j], list[i]];
  }
  return list;
}

// Gold questions that a rater should have met after so many answers (annotate/gold.py, golds_due).
const goldsDue = (answered) => (answered === 0 ? 0
  : data.minGolds + Math.max(0, Math.ceil(Math.log10(answered + 1) ** 2.2) - 1));

const REPEAT_AFTER = 3;  // questions between one and its repeat, where there are so many

// done: how many HITs of this kind the worker has handed in; null where nobody can tell.
function order(data, worker, done) {
  const random = generator([data.seed, data.hit, worker].join("|"));
  const item = (unit) => ({ ...unit, pictures: [...unit.pictures] });
  const asked = shuffle(data.units.filter((unit) => !unit.of).map(item), random);
  const each = data.units.length;
  const golds = goldsDue(((done || 0) + 1) * each) - goldsDue((done || 0) * each);
  for (const gold of shuffle(data.golds.map(item), random).slice(0, golds)) {
    asked.splice(Math.floor(random() * (asked.length + 1)), 0, gold);
  }
  for (const one of asked) if (one.pictures.length > 1 && random() < 0.5) one.pictures.reverse();
  for (const repeat of data.units.filter((unit) => unit.of).map(item)) {
    const at = asked.findIndex((one) => one.unit === repeat.of);
    // The same sides would ask for the same key: a pair comes again with its sides swapped.
    repeat.pictures = [...asked[at].pictures].reverse();
    const first = Math.min(at + 1 + REPEAT_AFTER, asked.length);
    asked.splice(first + Math.floor(random() * (asked.length - first + 1)), 0, repeat);
  }
  const training = done ? [] : data.training.map((unit) => ({ ...item(unit), training: true }));
  return [...training, ...asked];
}
