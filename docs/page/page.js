// The form, the command and the link. What the answers mean, only Python knows.
const $ = (id) => document.getElementById(id);
const here = (file) => new URL(file, import.meta.url);
const say = (text) => { $("status").textContent = text; };

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const settings = await (await fetch(here("cookiecutter.json"))).json();
const prompts = settings.__prompts__;
const keys = Object.keys(settings).filter((key) => !key.startsWith("_"));
const template = $("template").href.replace("https://github.com/", "gh:");
const form = $("form");

function field(key) {
  const choices = Array.isArray(settings[key]) ? settings[key] : [];
  const question = prompts[key].__prompt__ ?? prompts[key];
  const [, name, note] = question.match(/^(.+?)(?: \((.+)\))?$/);
  const notes = { "aria-describedby": `${key}-hint ${key}-wrong` };
  const hint = make("p", { id: `${key}-hint`, class: "hint" }, note ?? "");
  const wrong = make("p", { id: `${key}-wrong`, class: "wrong" });
  if (0 < choices.length && choices.length < 5) {
    const radio = (value) => make("input", { type: "radio", name: key, value });
    const labels = choices.map((value) => make("label", {}, radio(value), prompts[key][value]));
    labels[0].firstChild.defaultChecked = true;
    return make("fieldset", notes, make("legend", {}, name), ...labels, hint, wrong);
  }
  const tag = choices.length ? "select" : "input";
  const control = make(tag, { id: key, name: key, spellcheck: false, ...notes });
  if (choices.length) control.append(...choices.map((value) => make("option", {}, value)));
  return make("div", { class: "field" }, make("label", { for: key }, name), control, hint, wrong);
}

// The answers other than the default, which is an empty text or the first choice.
function given() {
  const changed = ([key, answer]) => answer && answer !== [settings[key]].flat()[0];
  return Object.fromEntries([...new FormData(form)].filter(changed));
}

function quote(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`;
}

let worker, zip, timer, asked, busy = false, files = {};

function update() {
  for (const { id, value } of form.querySelectorAll("select")) {
    $(`${id}-hint`).textContent = prompts[id][value];
  }
  const words = Object.entries(given()).map(([key, answer]) => `${key}=${quote(answer)}`);
  const start = `uvx cookiecutter ${template} --no-input --default-config`;
  $("command").textContent = [start, ...words].join(" \\\n  ");
  $("download").disabled = true;
  $("result").ariaBusy = Boolean(worker);
  clearTimeout(timer);
  timer = setTimeout(ask, 200);
}

function link() {
  const query = String(new URLSearchParams(given()));
  history.replaceState(null, "", query ? `?${query}` : location.pathname);
}

function load() {
  $("load").hidden = true;
  $("progress").hidden = false;
  say("Loading Python …");
  const name = `python ${Math.random()}`;
  worker = new Worker(here("worker.js"), { type: "module", name });
  worker.onerror = fail;
  worker.onmessage = ({ data }) => receive(data);
  // The worker holds a lock for as long as it lives.
  const watch = () => navigator.locks?.request(name, fail);
  worker.addEventListener("message", watch, { once: true });
  update();
}

function fail() {
  worker?.terminate();
  worker = null;
  $("result").ariaBusy = false;
  $("progress").hidden = true;
  say(`Python ${zip ? "has stopped" : "could not be loaded"}. `
    + "The command works without it. Reload the page to try again.");
}

// One thing at a time: what changes meanwhile is asked as soon as the answer is there.
function ask() {
  if (busy || !worker) return;
  busy = true;
  asked = JSON.stringify(given());
  worker.postMessage(asked);
}

function receive({ wrong, offered, folder, compared, packed }) {
  busy = false;
  if (asked !== JSON.stringify(given())) return ask();
  $("result").ariaBusy = false;
  $("progress").hidden = true;
  for (const key of keys) {
    $(`${key}-wrong`).textContent = wrong[key] ?? "";
    $(key)?.setAttribute("aria-invalid", key in wrong);
    $(key)?.setAttribute("placeholder", offered[key]);
  }
  const refused = Object.keys(wrong).length;
  if (refused) return say(`Please correct ${refused === 1 ? "one answer" : `${refused} answers`}.`);
  URL.revokeObjectURL(zip);
  zip = URL.createObjectURL(new Blob([packed], { type: "application/zip" }));
  $("download").name = `${folder}.zip`;
  $("download").disabled = false;
  files = compared;
  list();
  show();
}

function list() {
  const [first, ...others] = Object.keys(files);
  const before = $("file").value;
  const differs = (path) => files[path].some(([mark]) => mark !== " ");
  const options = (paths) => paths.map((path) => make("option", {}, path));
  const groups = Object.groupBy(others, (path) => differs(path) ? "Different" : "The same");
  $("file").replaceChildren(...options([first]), ...Object.entries(groups).map(
    ([label, paths]) => make("optgroup", { label }, ...options(paths))));
  $("file").value = before in files ? before : first;
  $("file").disabled = false;
  const count = Object.keys(files).filter(differs).length;
  say(`${count || "No"} files differ from those of the default answers.`);
}

function show() {
  const tags = { "+": "ins", "-": "del", " ": "span" };
  $("preview").replaceChildren(...files[$("file").value].map(
    ([mark, line]) => make(tags[mark], {}, `${mark} ${line}\n`)));
  const first = $("preview").querySelector("ins, del");
  $("preview").scrollTop = first ? first.offsetTop - 4 * first.offsetHeight : 0;
}

const copy = (text) => navigator.clipboard.writeText(text).then(() => say("Copied."));

form.append(...keys.map(field));
const unknown = [];
for (const [key, answer] of new URLSearchParams(location.search)) {
  const known = keys.includes(key)
    && (typeof settings[key] === "string" || settings[key].includes(answer));
  if (known) form.elements[key].value = answer;
  else unknown.push(`${key}=${answer}`);
}
if (unknown.length) $("notice").textContent = `Unknown in this link: ${unknown.join(", ")}.`;

form.addEventListener("input", update);
form.addEventListener("change", link);
form.addEventListener("reset", () => setTimeout(() => {
  $("notice").textContent = "";
  update();
  link();
}));
$("load").addEventListener("click", load);
$("copy").addEventListener("click", () => copy($("command").textContent));
$("link").addEventListener("click", () => copy(location.href));
$("file").addEventListener("change", show);
$("download").addEventListener("click", (event) => {
  make("a", { href: zip, download: event.target.name }).click();
});
update();
if (navigator.connection?.saveData) $("load").hidden = false;
else load();
