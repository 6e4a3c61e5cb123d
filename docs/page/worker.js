// Python in the browser: page.py, the real cookiecutter and the real template.
import { loadPyodide } from "./pyodide/pyodide.mjs";

async function start() {
  const archive = fetch(new URL("python.tar.bz2", import.meta.url));
  const pyodide = await loadPyodide();
  pyodide.unpackArchive(await (await archive).arrayBuffer(), "bztar");
  return { FS: pyodide.FS, page: pyodide.pyimport("page") };
}

const started = start();
onmessage = async ({ data }) => {
  try {
    const { FS, page } = await started;
    const result = JSON.parse(page.compose(data));
    postMessage(result.folder ? { ...result, packed: FS.readFile("project.zip") } : result);
  } catch (error) {
    reportError(error);
  }
};
// Held until the worker ends, which no event tells.
navigator.locks?.request(name, () => new Promise(() => {}));
